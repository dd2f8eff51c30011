// What was: a stream's sessions, and what webhooks have not taken.
#include <string>

#include "test_api_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using api::Json;
using api::Method;
using test::call;
using test::FakeBackend;

constexpr std::uint64_t kLive = 0xabcdef0123456789;  // FakeBackend::publish()

void sessions_are_told_newest_first_and_the_live_one_as_it_is_now(void**) {
  FakeBackend backend;
  const auto id = backend.rows->ensure_stream("live", "cam").value().id;
  (void)backend.rows->begin_session({id, 1, 1'700'000'000'000});
  catalog::SessionRow row;
  row.stream_id = id;
  row.id = 1;
  row.started_at = 1'700'000'000'000;
  row.ended_at = 1'700'000'060'500;
  row.end_reason = "unpublished";
  row.audio_codec = "aac";
  row.sample_rate = 44100;
  row.channels = 2;
  row.bytes = 99;
  (void)backend.rows->end_session(row);
  (void)backend.rows->begin_session({id, kLive, 1'800'000'000'000});
  const auto index = backend.publish("live", "cam", id);
  backend.live_state->stream_gauges(index)->bytes_in.set(4321);
  backend.edit([&](auto& live) { live.edit_stream(index).playback.restarts = 2; });

  const Json before = Json::parse(R"({"id":"0000000000000001","live":false,
    "started_at":"2023-11-14T22:13:20.000Z","ended_at":"2023-11-14T22:14:20.500Z",
    "end_reason":"unpublished","video_codec":null,"width":null,"height":null,"frame_rate":null,
    "audio_codec":"aac","sample_rate":44100,"channels":2,"bytes":99,"transcoder_restarts":0})");
  const Json now = Json::parse(R"({"id":"abcdef0123456789","live":true,
    "started_at":"2027-01-15T08:00:00.000Z","ended_at":null,"end_reason":null,
    "video_codec":"h264","width":1920,"height":1080,"frame_rate":29.97,"audio_codec":null,
    "sample_rate":null,"channels":null,"bytes":4321,"transcoder_restarts":2})");
  const auto by_id = call(backend, Method::kGet, "streams/" + std::to_string(id) + "/sessions");
  const auto by_name = call(backend, Method::kGet, "streams/live/cam/sessions");
  const auto second = call(backend, Method::kGet, "streams/live/cam/sessions?page=2&per_page=1");
  assert_int_equal(by_id.status(), 200);
  assert_string_equal(by_id.json.dump().c_str(), Json::array({now, before}).dump().c_str());
  assert_string_equal(by_name.json.dump().c_str(), by_id.json.dump().c_str());
  assert_string_equal(second.json.dump().c_str(), Json::array({before}).dump().c_str());
}

// Nginx was killed, or restarted at that moment.
void a_session_without_an_end_is_not_live_for_that(void**) {
  FakeBackend backend;
  const auto id = backend.rows->ensure_stream("live", "cam").value().id;
  (void)backend.rows->begin_session({id, 7, 1'700'000'000'000});
  const auto answer = call(backend, Method::kGet, "streams/live/cam/sessions");
  assert_false(answer.json[0]["live"].get<bool>());
  assert_true(answer.json[0]["ended_at"].is_null() && answer.json[0]["end_reason"].is_null());
}

void a_stream_may_be_called_sessions(void**) {
  FakeBackend backend;
  const auto id = backend.rows->ensure_stream("live", "sessions").value().id;
  const auto stream = call(backend, Method::kGet, "streams/live/sessions");
  const auto none = call(backend, Method::kGet, "streams/99/sessions");
  const auto bad = call(backend, Method::kGet, "streams/live/sessions/sessions?per_page=0");
  const auto change = call(backend, Method::kDelete, "streams/live/sessions/sessions");
  assert_int_equal(stream.json["id"].get<std::int64_t>(), id);
  assert_int_equal(none.status(), 404);
  assert_string_equal(none.error_code().c_str(), "stream_not_found");
  assert_int_equal(bad.status(), 400);
  assert_int_equal(change.status(), 405);
}

catalog::EventRow event(const std::string& id, const std::string& stream) {
  catalog::EventRow row;
  row.id = id;
  row.app = "live";
  row.stream = stream;
  row.created_at = 1'700'000'000'000;
  row.body = R"({"type":"stream.started","id":")" + id + R"(","data":{"app":"live","stream":")" +
             stream + R"("}})";
  return row;
}

void webhooks_tell_what_failed_and_why(void**) {
  FakeBackend backend;
  const std::string hook = "https://me:pass@host:8443/a/hook?token=secret#x";
  (void)backend.rows->add_events({event("e1", "cam"), event("e2", "cam"), event("e3", "b")},
                                 {hook, "http://other/"});
  auto delivery = backend.rows->claim_delivery(hook, 1'700'000'000'000, 1'700'000'060'000);
  const auto claimed = call(backend, Method::kGet, "webhooks");
  (void)backend.rows->delivery_failed(hook, *delivery.value(), 1'700'000'001'000,
                                      "it answered 503");
  const auto answer = call(backend, Method::kGet, "webhooks");
  // A first try goes on: that is no failure.
  assert_string_equal(claimed.json[1]["failures"].dump().c_str(), "[]");
  const Json expected = Json::parse(R"([
    {"url":"http://other/","waiting":3,"oldest_at":"2023-11-14T22:13:20.000Z","failures":[]},
    {"url":"https://host:8443/a/hook","waiting":3,"oldest_at":"2023-11-14T22:13:20.000Z","failures":[
      {"event_id":"e1","type":"stream.started","app":"live","stream":"cam",
       "created_at":"2023-11-14T22:13:20.000Z","attempts":1,"error":"it answered 503",
       "next_try_at":"2023-11-14T22:13:21.000Z"}]}])");
  assert_int_equal(answer.status(), 200);
  assert_string_equal(answer.json.dump().c_str(), expected.dump().c_str());
}

void nothing_waits_where_all_was_told(void**) {
  FakeBackend backend;
  const auto none = call(backend, Method::kGet, "webhooks");
  FakeBackend away;
  away.catalog_reachable = false;
  const auto unknown = call(away, Method::kGet, "webhooks");
  assert_string_equal(none.response.body.c_str(), "[]");
  assert_int_equal(unknown.status(), 503);
  assert_string_equal(unknown.error_code().c_str(), "catalog_unavailable");
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(sessions_are_told_newest_first_and_the_live_one_as_it_is_now),
    cmocka_unit_test(a_session_without_an_end_is_not_live_for_that),
    cmocka_unit_test(a_stream_may_be_called_sessions),
    cmocka_unit_test(webhooks_tell_what_failed_and_why),
    cmocka_unit_test(nothing_waits_where_all_was_told),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
