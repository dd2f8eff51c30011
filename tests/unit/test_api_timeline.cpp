#include <cstring>
#include <string>

#include "test_api_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using api::Json;
using api::Method;
using test::Answer;
using test::call;
using test::FakeBackend;
using test::video_row;

recorder::Timeline eventful() {
  recorder::Timeline timeline;
  timeline.duration_ms = 9000;
  timeline.epochs.resize(2);
  timeline.epochs[0].end_ms = timeline.epochs[1].start_ms = 4000;
  timeline.epochs[0].video = {{{"codec", std::string("h264")},
                               {"width", std::int64_t{640}},
                               {"interlaced", false},
                               {"color_range", {}},
                               {"frame_rate_declared", 29.97}}};
  timeline.epochs[0].frame_rate_measured = 29.971;
  timeline.epochs[1].index = 1;
  timeline.epochs[1].end_ms = 9000;
  timeline.epochs[1].audio = {{{"codec", std::string("aac")}}};
  timeline.changes.push_back({4000, "video.width", std::int64_t{640}, std::int64_t{1280}});
  timeline.changes.push_back({4000, "video.color_range", {}, std::string("pc")});
  timeline.interruptions.push_back(
      {4000, 1'800'000'000'000, 1'800'000'007'500, 7500, "worker_died"});
  timeline.interruptions.push_back({5000, 0, 0, 20, ""});
  timeline.timestamp_repairs.push_back(
      {media::RepairKind::kForwardJump, media::TrackKind::kAudio, 3, 8000, 80000, 8000});
  return timeline;
}

void shows_a_whole_timeline(void**) {
  FakeBackend backend;
  (void)backend.rows->put_video(video_row(1, "abc", 4, 1'800'000'000'000));
  backend.timeline = eventful();
  const Answer shown = call(backend, Method::kGet, "videos/1/timeline");
  const Json expected = Json::parse(R"({"uniform":false,"epochs":[
    {"index":0,"start_ms":0,"end_ms":4000,"video":{"codec":"h264","width":640,"interlaced":false,
     "color_range":null,"frame_rate_declared":29.97,"frame_rate_measured":29.971},"audio":null,
     "mp4_url":"https://media.example.com/videos/abc/source.mp4?epoch=0"},
    {"index":1,"start_ms":4000,"end_ms":9000,"video":null,"audio":{"codec":"aac"},
     "mp4_url":"https://media.example.com/videos/abc/source.mp4?epoch=1"}],
    "changes":[{"at_ms":4000,"field":"video.width","from":640,"to":1280},
     {"at_ms":4000,"field":"video.color_range","from":null,"to":"pc"}],
    "interruptions":[{"at_ms":4000,"started_at":"2027-01-15T08:00:00.000Z",
     "ended_at":"2027-01-15T08:00:07.500Z","lost_ms":7500,"reason":"worker_died"},
     {"at_ms":5000,"started_at":null,"ended_at":null,"lost_ms":20,"reason":null}],
    "timestamp_repairs":[{"at_ms":8000,"kind":"forward_jump","track":"audio","count":3,
     "from":80000,"to":8000}]})");
  assert_int_equal(shown.status(), 200);
  assert_string_equal(shown.json.dump().c_str(), expected.dump().c_str());
  assert_string_equal(backend.timeline_asked.c_str(), "abc");
}

void what_is_being_recorded_is_read_by_its_live_record(void**) {
  FakeBackend backend;
  const auto stream = backend.publish("live", "cam", 1);
  const std::string slug = call(backend, Method::kPut, "streams/1/start_recording")
                               .json["recording"]["slug"]
                               .get<std::string>();
  backend.save(stream, 5000, 12'000);
  backend.timeline = eventful();
  const Answer growing = call(backend, Method::kGet, "videos/100/timeline");
  const std::string asked = backend.timeline_asked;
  auto row = video_row(100, slug, 1, 1'800'000'000'000);
  (void)backend.rows->put_video(row);  // its outcome is known before the record goes
  (void)call(backend, Method::kGet, "videos/100/timeline");
  assert_int_equal(growing.status(), 200);
  assert_string_equal(asked.c_str(), (slug + " live/cam 5000").c_str());
  assert_string_equal(backend.timeline_asked.c_str(), slug.c_str());
}

void says_why_there_is_none(void**) {
  FakeBackend backend;
  auto row = video_row(1, "abc", 4, 1'800'000'000'000);
  row.status = "error";
  row.error = "too_short";
  (void)backend.rows->put_video(row);
  (void)backend.rows->put_video(video_row(2, "def", 4, 1'800'000'000'000));
  const Answer discarded = call(backend, Method::kGet, "videos/1/timeline");
  const std::string asked_for_discarded = backend.timeline_asked;
  const Answer no_file = call(backend, Method::kGet, "videos/2/timeline");
  backend.timeline = Error{Errc::kCorrupt, "a mark box cannot be read"};
  const Answer damaged = call(backend, Method::kGet, "videos/2/timeline");
  backend.timeline = Error{Errc::kUnavailable, "too much file work is waiting"};
  const Answer busy = call(backend, Method::kGet, "videos/2/timeline");
  const Answer unknown = call(backend, Method::kGet, "videos/3/timeline");
  const Answer no_id = call(backend, Method::kGet, "videos/abc/timeline");
  const Answer put = call(backend, Method::kPut, "videos/2/timeline");
  const Answer deeper = call(backend, Method::kGet, "videos/2/timeline/0");
  assert_int_equal(discarded.status(), 404);
  assert_string_equal(discarded.error_code().c_str(), "video_has_no_file");
  assert_non_null(std::strstr(discarded.error_message().c_str(), "too_short"));
  assert_string_equal(asked_for_discarded.c_str(), "");
  assert_int_equal(no_file.status(), 404);
  assert_string_equal(no_file.error_code().c_str(), "video_has_no_file");
  assert_int_equal(damaged.status(), 503);
  assert_string_equal(damaged.error_code().c_str(), "file_unreadable");
  assert_int_equal(busy.status(), 503);
  assert_string_equal(busy.error_code().c_str(), "unavailable");
  assert_int_equal(unknown.status(), 404);
  assert_string_equal(unknown.error_code().c_str(), "video_not_found");
  assert_string_equal(no_id.error_code().c_str(), "video_not_found");
  assert_int_equal(put.status(), 405);
  assert_string_equal(put.response.allow->c_str(), "GET, HEAD");
  assert_string_equal(deeper.error_code().c_str(), "no_such_path");
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(shows_a_whole_timeline),
    cmocka_unit_test(what_is_being_recorded_is_read_by_its_live_record),
    cmocka_unit_test(says_why_there_is_none),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
