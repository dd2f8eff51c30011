#include <string>
#include <vector>

#include "recorder/stream_settings.hpp"
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

// Stream 1 is live and being recorded as video 100; videos 1 to 3 are done.
struct Recording {
  FakeBackend backend;
  std::int32_t stream = runtime::kNone;
  std::string slug;

  Recording() {
    (void)backend.rows->ensure_stream("live", "cam");
    for (std::int64_t id = 1; id <= 3; ++id) {
      auto row = video_row(id, "slug" + std::to_string(id), id, 1'700'000'000'000 + id * 1000);
      row.name = "Show " + std::to_string(id);
      row.status = id == 3 ? "error" : "viewable";
      row.origin_size = 10;
      (void)backend.rows->put_video(row);
    }
    stream = backend.publish("live", "cam", 1);
    slug = call(backend, Method::kPut, "streams/1/start_recording")
               .json["recording"]["slug"]
               .get<std::string>();
    backend.save(stream, 5000, 12'000);
  }
  std::vector<std::int64_t> ids(const std::string& query) {
    std::vector<std::int64_t> found;
    for (const Json& video : call(backend, Method::kGet, "videos" + query).json) {
      found.push_back(video["id"]);
    }
    return found;
  }
  [[nodiscard]] catalog::VideoRow final_row() const {
    auto row = video_row(100, slug, 1, 1'800'000'000'000);
    row.duration_ms = 15'000;
    row.origin_size = 6000;
    return row;
  }
};

using Ids = std::vector<std::int64_t>;

void shows_every_field_of_a_row(void**) {
  FakeBackend backend;
  auto row = video_row(1, "abc", 4, 1'800'000'000'000);
  row.name = "N";
  row.duration_ms = 61'500;
  row.origin_size = 1234;
  row.width = 1280;
  row.height = 720;
  row.transaction_id = "tt";
  row.sequence = 1;
  row.recording_times = {{1'800'000'000'000, 61.5}};
  row.created_at = row.updated_at = 1'800'000'000'000;
  (void)backend.rows->put_video(row);
  const Answer shown = call(backend, Method::kGet, "videos/1");
  const Json expected = Json::parse(R"({"id":1,"slug":"abc","name":"N","status":"viewable",
    "error":null,"duration":61500,"origin_video_duration":61500,"origin_size":1234,
    "origin_width":1280,"origin_height":720,"stream_id":4,
    "recording_started_at":"2027-01-15T08:00:00.000Z","record_type":"origin",
    "origin_url":"https://media.example.com/videos/abc/source.mp4",
    "iframe_url":"https://media.example.com/videos/abc",
    "iframe_embed_code":"<iframe src=\"https://media.example.com/videos/abc\" width=\"640\" height=\"360\" title=\"Video\" style=\"border:0\" allow=\"autoplay; fullscreen; picture-in-picture\" allowfullscreen></iframe>",
    "hls_url":"https://media.example.com/videos/abc/master.m3u8","screenshot":null,"screenshots":[],"sprite":null,
    "sprite_vtt":null,"converted_videos":[],"transaction_id":"tt","sequence":1,
    "last_sequence":true,"recording_times":[{"started_at":"2027-01-15T08:00:00.000Z",
    "duration_seconds":61.5}],"uniform":true,"created_at":"2027-01-15T08:00:00.000Z",
    "updated_at":"2027-01-15T08:00:00.000Z","client_user_id":null,"client_entity_data":null})");
  assert_int_equal(shown.status(), 200);
  assert_string_equal(shown.json.dump().c_str(), expected.dump().c_str());
}

void what_is_being_recorded_is_a_video_too(void**) {
  Recording recording;
  const Answer before = call(recording.backend, Method::kGet, "videos/100");
  recording.backend.save(recording.stream, 9000, 14'000);
  const Json later = call(recording.backend, Method::kGet, "videos/100").json;
  assert_int_equal(before.status(), 200);
  assert_true(before.json["status"] == "pending" && before.json["duration"] == 12'000);
  assert_true(later["duration"] == 14'000 && later["origin_size"] == 9000);
  assert_true(later["origin_width"] == 1920 && later["uniform"].is_null());
  assert_true(later["name"] == "Stream Record: cam");
  assert_true(later["recording_started_at"] == "2027-01-15T08:00:00.000Z");
}

// Its type and size are those of what is saved, not of what the encoder sends.
void a_rendition_that_is_being_recorded_says_so(void**) {
  Recording recording;
  const auto index = recording.backend.stream(recording.stream).recording;
  recording.backend.edit([&](auto& live) {
    auto& playback = live.edit_stream(recording.stream).playback;
    playback.rendition_count = 1;
    playback.renditions[0].width = 640;
    playback.renditions[0].height = 360;
    live.edit_recording(index).recorded = runtime::Recorded::kRendition;
  });
  const Json before = call(recording.backend, Method::kGet, "videos/100").json;
  const Json changed =
      call(recording.backend, Method::kPatch, "videos/100", R"({"client_user_id":1})").json;
  const Json stopped = call(recording.backend, Method::kPut, "streams/1/stop_recording").json;
  for (const Json& shown : {before, changed, stopped}) {
    assert_true(shown["record_type"] == "transcoded");
    assert_true(shown["origin_width"] == 640 && shown["origin_height"] == 360);
  }
}

void it_comes_first_and_once_in_every_page(void**) {
  Recording recording;
  const Ids whole = recording.ids("");
  const Ids first = recording.ids("?per_page=2"), second = recording.ids("?per_page=2&page=2");
  const Ids third = recording.ids("?per_page=2&page=3");
  auto pending = recording.final_row();  // as the recorder may write it when it begins
  pending.status = "pending";
  (void)recording.backend.rows->put_video(pending);
  const Ids with_row = recording.ids("");
  assert_true(whole == Ids({100, 3, 2, 1}));
  assert_true(first == Ids({100, 3}) && second == Ids({2, 1}) && third.empty());
  assert_true(with_row == whole);
}

void filters_also_what_is_being_recorded(void**) {
  Recording recording;
  assert_true(recording.ids("?status=pending") == Ids({100}));
  assert_true(recording.ids("?status=viewable") == Ids({2, 1}));
  assert_true(recording.ids("?stream_id=1") == Ids({100, 1}));
  assert_true(recording.ids("?search=RECORD%3A+c") == Ids({100}));
  assert_true(recording.ids("?search=show") == Ids({3, 2, 1}));
  assert_true(recording.ids("?id=100,2") == Ids({100, 2}));
  assert_true(recording.ids("?search=nothing").empty());
}

void the_outcome_in_the_catalogue_wins(void**) {
  Recording recording;
  (void)recording.backend.rows->put_video(recording.final_row());
  const Json one = call(recording.backend, Method::kGet, "videos/100").json;
  const Json list = call(recording.backend, Method::kGet, "videos").json;
  assert_true(one["status"] == "viewable" && one["duration"] == 15'000);
  assert_true(list.size() == 4 && list[0]["id"] == 100 && list[0]["status"] == "viewable");
}

void a_settled_recording_is_shown_before_its_row_is_written(void**) {
  Recording recording;
  const auto index = recording.backend.stream(recording.stream).recording;
  recording.backend.edit([&](auto& live) {
    live.edit_recording(index).state = runtime::RecordingState::kSettled;
    live.edit_recording(index).error.assign("too_short: 4 s are less than 10 s");
  });
  const Json json = call(recording.backend, Method::kGet, "videos/100").json;
  assert_true(json["status"] == "error" && json["error"] == "too_short");
  assert_true(json["origin_url"].is_null());
}

// Begun before it was known whether the stream is to be recorded.
void what_may_not_be_wanted_is_no_video(void**) {
  Recording recording;
  const auto index = recording.backend.stream(recording.stream).recording;
  const auto listed = [&] {
    const int status = call(recording.backend, Method::kGet, "videos/100").status();
    assert_int_equal(recording.ids("?id=100") == Ids({100}), status == 200);
    return status == 200;
  };
  for (const bool automatic : {false, true}) {
    recording.backend.edit([&](auto& live) {
      live.edit_recording(index).tentative = 1;
      live.edit_recording(index).rules.auto_record = automatic;
    });
    assert_int_equal(listed(), automatic);
  }
  recording.backend.edit([&](auto& live) { recorder::withdraw(live, index); });
  assert_false(listed());
}

void gives_only_the_fields_asked_for(void**) {
  Recording recording;
  const Json list = call(recording.backend, Method::kGet, "videos?fields=name,id&per_page=1").json;
  const Json one = call(recording.backend, Method::kGet, "videos/1?fields=status").json;
  const Json other = call(recording.backend, Method::kGet, "videos/1?fields=id,cdn_views").json;
  assert_string_equal(list.dump().c_str(), R"([{"id":100,"name":"Stream Record: cam"}])");
  assert_string_equal(one.dump().c_str(), R"({"status":"viewable"})");
  assert_string_equal(other.dump().c_str(), R"({"id":1})");
}

void a_name_given_while_recording_is_kept(void**) {
  Recording recording;
  const Answer changed = call(recording.backend, Method::kPatch, "videos/100",
                              R"({"name":"Mine","client_user_id":3})");
  const Json shown = call(recording.backend, Method::kGet, "videos?search=mine").json;
  assert_true(recording.ids("?client_user_id=3") == Ids({100}));
  (void)recording.backend.rows->put_video(recording.final_row());
  const Json done = call(recording.backend, Method::kGet, "videos/100").json;
  assert_int_equal(changed.status(), 200);
  assert_true(changed.json["name"] == "Mine" && changed.json["status"] == "pending");
  assert_true(changed.json["duration"] == 12'000);
  assert_true(shown.size() == 1 && shown[0]["client_user_id"] == 3);
  assert_true(done["name"] == "Mine" && done["status"] == "viewable");
  assert_true(recording.ids("?client_user_id=3") == Ids({100}));
  assert_true(recording.ids("?client_user_id=4").empty());
}

void deletes_row_and_files(void**) {
  Recording recording;
  const Answer deleted = call(recording.backend, Method::kDelete, "videos/2");
  const Answer gone = call(recording.backend, Method::kGet, "videos/2");
  const Answer twice = call(recording.backend, Method::kDelete, "videos/2");
  assert_int_equal(deleted.status(), 204);
  assert_true(recording.backend.removed == std::vector<std::string>({"slug2"}));
  assert_int_equal(gone.status(), 404);
  assert_string_equal(gone.error_code().c_str(), "video_not_found");
  assert_int_equal(twice.status(), 404);
  const auto told = recording.backend.rows->claim_delivery("http://hook/", 1000, 2000).value();
  assert_true(told && told->body.find("\"reason\":\"requested\"") != std::string::npos);
  assert_int_equal(recording.backend.rows->work_figures().value().deliveries_waiting, 1);
  assert_true(recording.backend.stream(recording.stream).recording != runtime::kNone);
}

void deleting_what_is_being_recorded_ends_it_for_good(void**) {
  Recording recording;
  recording.backend.woken.clear();
  const Answer deleted = call(recording.backend, Method::kDelete, "videos/100");
  const auto stream = recording.backend.stream(recording.stream);
  (void)recording.backend.rows->put_video(recording.final_row());  // the recorder is late
  const Answer gone = call(recording.backend, Method::kGet, "videos/100");
  const Ids listed = recording.ids("");
  assert_int_equal(deleted.status(), 204);
  assert_int_equal(stream.recording, runtime::kNone);
  assert_true(recording.backend.woken == std::vector<std::int32_t>({42}));
  assert_true(recording.backend.removed == std::vector<std::string>({recording.slug}));
  assert_int_equal(gone.status(), 404);
  assert_true(listed == Ids({3, 2, 1}));
}

void says_when_files_could_not_be_removed(void**) {
  Recording recording;
  recording.backend.removal_fails = true;
  const Answer answer = call(recording.backend, Method::kDelete, "videos/1");
  assert_int_equal(answer.status(), 503);
  assert_string_equal(answer.error_code().c_str(), "files_not_removed");
}

void gives_no_link_that_leads_nowhere(void**) {
  Recording recording;
  recording.backend.save(recording.stream, 0, 0);
  const Json nothing_saved = call(recording.backend, Method::kGet, "videos/100").json;
  api::Request request;
  request.path = "videos/1";
  std::string body;
  api::Api(recording.backend).handle(request, [&](const api::Response& r) { body = r.body; });
  assert_true(nothing_saved["origin_url"].is_null());
  assert_true(Json::parse(body)["origin_url"].is_null());  // no location serves files
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(shows_every_field_of_a_row),
    cmocka_unit_test(what_is_being_recorded_is_a_video_too),
    cmocka_unit_test(a_rendition_that_is_being_recorded_says_so),
    cmocka_unit_test(it_comes_first_and_once_in_every_page),
    cmocka_unit_test(filters_also_what_is_being_recorded),
    cmocka_unit_test(the_outcome_in_the_catalogue_wins),
    cmocka_unit_test(a_settled_recording_is_shown_before_its_row_is_written),
    cmocka_unit_test(what_may_not_be_wanted_is_no_video),
    cmocka_unit_test(gives_only_the_fields_asked_for),
    cmocka_unit_test(a_name_given_while_recording_is_kept),
    cmocka_unit_test(deletes_row_and_files),
    cmocka_unit_test(deleting_what_is_being_recorded_ends_it_for_good),
    cmocka_unit_test(says_when_files_could_not_be_removed),
    cmocka_unit_test(gives_no_link_that_leads_nowhere),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
