#include <string>
#include <vector>

#include "test_api_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using api::Json;
using api::Method;
using test::Answer;
using test::call;
using test::FakeBackend;

void start_answers_in_the_original_shape_and_wakes_the_owner(void**) {
  FakeBackend backend;
  backend.publish("live", "cam", 7, 42);
  const Answer answer = call(backend, Method::kPut, "streams/7/start_recording");
  const Json& json = answer.json;
  assert_int_equal(answer.status(), 200);
  assert_string_equal(json["data"].dump().c_str(), R"({"stream":{"id":7}})");
  assert_true(json["errors"] == Json::array() && json["warnings"] == Json::array());
  assert_true(json["recording"]["video_id"] == 100);
  assert_true(json["recording"]["state"] == "requested");
  assert_true(json["recording"]["automatic"] == false);
  assert_int_equal(json["recording"]["slug"].get<std::string>().size(), 32);
  assert_true(backend.woken == std::vector<std::int32_t>({42}));
}

void start_twice_is_the_same_recording(void**) {
  FakeBackend backend;
  const auto index = backend.publish("live", "cam", 7);
  const Answer first = call(backend, Method::kPut, "streams/7/start_recording");
  backend.save(index, 1000, 1500);
  const Answer second = call(backend, Method::kPut, "streams/live/cam/start_recording");
  assert_int_equal(second.status(), 200);
  assert_true(first.json["recording"]["slug"] == second.json["recording"]["slug"]);
  assert_true(second.json["recording"]["state"] == "active");
  assert_true(second.json["recording"]["duration_seconds"] == 1.5);
}

void control_of_a_live_stream_needs_no_catalogue(void**) {
  FakeBackend backend;
  backend.publish("live", "cam", 7);
  backend.executor.set_full(true);  // nothing of the catalogue is answered
  const Answer start = call(backend, Method::kPut, "streams/7/start_recording");
  const Answer stop = call(backend, Method::kPut, "streams/live/cam/stop_recording");
  assert_int_equal(start.status(), 200);
  assert_int_equal(stop.status(), 200);
}

void stop_gives_the_video(void**) {
  FakeBackend backend;
  const auto index = backend.publish("live", "cam", 7);
  (void)call(backend, Method::kPut, "streams/7/start_recording");
  backend.save(index, 123'456, 20'500);
  backend.fake_clock.advance(20'500);
  backend.woken.clear();
  const Answer stop = call(backend, Method::kPut, "streams/7/stop_recording");
  const Answer nothing = call(backend, Method::kPut, "streams/7/stop_recording");
  const Json& json = stop.json;
  assert_int_equal(stop.status(), 200);
  assert_true(json["id"] == 100 && json["stream_id"] == 7);
  assert_true(json["status"] == "pending");
  assert_true(json["duration"] == 20'500 && json["origin_size"] == 123'456);
  assert_true(json["name"] == "Stream Record: cam, 2027-01-15T08:00:20Z");
  assert_true(json["origin_url"] == "https://media.example.com/videos/" +
                                        json["slug"].get<std::string>() + "/source.mp4");
  assert_true(backend.woken == std::vector<std::int32_t>({42}));
  assert_int_equal(nothing.status(), 204);
}

void tells_an_idle_stream_from_an_unknown_one(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "idle");
  const Answer idle = call(backend, Method::kPut, "streams/1/start_recording");
  const Answer idle_name = call(backend, Method::kPut, "streams/live/idle/start_recording");
  const Answer idle_stop = call(backend, Method::kPut, "streams/1/stop_recording");
  const Answer unknown = call(backend, Method::kPut, "streams/2/start_recording");
  const Answer unknown_stop = call(backend, Method::kPut, "streams/live/no/stop_recording");
  assert_int_equal(idle.status(), 409);
  assert_string_equal(idle.error_code().c_str(), "stream_not_live");
  assert_int_equal(idle_name.status(), 409);
  assert_int_equal(idle_stop.status(), 204);
  assert_int_equal(unknown.status(), 404);
  assert_int_equal(unknown_stop.status(), 404);
}

void finds_a_live_stream_by_an_id_that_only_the_catalogue_knows(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "cam");
  backend.publish("live", "cam", 0);
  const Answer start = call(backend, Method::kPut, "streams/1/start_recording");
  assert_int_equal(start.status(), 200);
  assert_true(start.json["recording"]["video_id"] == 100);
  assert_true(start.json["data"]["stream"]["id"] == 1);
  const Answer stop = call(backend, Method::kPut, "streams/1/stop_recording");
  assert_true(stop.json["stream_id"] == 1);
}

void a_full_disk_is_422(void**) {
  FakeBackend backend;
  backend.publish("live", "cam", 7);
  backend.live_state->shared_gauges()->spool_free_bytes.set(999);
  const Answer start = call(backend, Method::kPut, "streams/7/start_recording");
  assert_int_equal(start.status(), 422);
  assert_string_equal(start.error_code().c_str(), "no_space");
  assert_true(start.error_message().find("no_space") == std::string::npos);
}

void without_a_video_id_one_is_fetched(void**) {
  FakeBackend backend;
  const auto index = backend.publish("live", "cam", 7);
  backend.edit([](auto& live) { live.edit_shared().video_ids = {}; });
  const Answer start = call(backend, Method::kPut, "streams/7/start_recording");
  assert_int_equal(start.status(), 200);
  assert_true(start.json["recording"]["video_id"] == 1);
  assert_true(backend.stream(index).recording != runtime::kNone);
}

void where_none_is_to_be_had_it_is_503_and_nothing_is_recorded(void**) {
  FakeBackend backend;
  const auto index = backend.publish("live", "cam", 7);
  backend.edit([](auto& live) { live.edit_shared().video_ids = {}; });
  backend.catalog_reachable = false;
  const Answer start = call(backend, Method::kPut, "streams/7/start_recording");
  assert_int_equal(start.status(), 503);
  assert_int_equal(backend.stream(index).recording, runtime::kNone);
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(start_answers_in_the_original_shape_and_wakes_the_owner),
    cmocka_unit_test(start_twice_is_the_same_recording),
    cmocka_unit_test(control_of_a_live_stream_needs_no_catalogue),
    cmocka_unit_test(stop_gives_the_video),
    cmocka_unit_test(tells_an_idle_stream_from_an_unknown_one),
    cmocka_unit_test(finds_a_live_stream_by_an_id_that_only_the_catalogue_knows),
    cmocka_unit_test(a_full_disk_is_422),
    cmocka_unit_test(without_a_video_id_one_is_fetched),
    cmocka_unit_test(where_none_is_to_be_had_it_is_503_and_nothing_is_recorded),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
