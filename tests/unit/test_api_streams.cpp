#include <string>
#include <vector>

#include "transcode/drift.hpp"
#include "transcode/playback_record.hpp"

#include "test_api_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using api::Json;
using api::Method;
using test::Answer;
using test::call;
using test::FakeBackend;

void adds_a_stream_and_shows_every_field(void**) {
  FakeBackend backend;
  const Answer added =
      call(backend, Method::kPost, "streams",
           R"({"name":"cam 1","app":"live","auto_record":true,"client_user_id":12,)"
           R"("client_entity_data":"x","pull":true,"uri":"rtmp://a","cdn_id":3})");
  const Answer shown = call(backend, Method::kGet, "streams/1");
  const Json expected = Json::parse(R"({"id":1,"app":"live","name":"cam 1","live":false,
    "active":true,"auto_record":true,"record_type":"origin","recording":false,
    "recording_duration":0.0,"push_url":"rtmp://media.example.com/live/cam%201","hls_url":null,
    "dash_url":null,"iframe_url":null,"transcoded_qualities":[],"transcoding_speed":null,"frame_rate":null,
    "video_width":null,"video_height":null,"created_at":"2027-01-15T08:00:00.000Z",
    "started_at_primary":null,"finished_at_primary":null,"client_user_id":12,
    "client_entity_data":"x","session":null})");
  assert_int_equal(added.status(), 201);
  assert_string_equal(added.json.dump().c_str(), expected.dump().c_str());
  assert_string_equal(shown.json.dump().c_str(), expected.dump().c_str());
}

void needs_an_app_unless_there_is_one_to_choose(void**) {
  FakeBackend backend;
  const Answer without = call(backend, Method::kPost, "streams", R"({"name":"cam"})");
  api::Request request;
  request.method = Method::kPost;
  request.path = "streams";
  request.content_type = "application/json; charset=utf-8";
  request.body = R"({"stream":{"name":"cam"}})";
  request.default_app = "live";
  int status = 0;
  api::Api(backend).handle(request,
                           [&](const api::Response& response) { status = response.status; });
  const Answer again = call(backend, Method::kPost, "streams", R"({"name":"cam","app":"live"})");
  assert_int_equal(without.status(), 400);
  assert_true(without.error_message().find("\"app\"") != std::string::npos);
  assert_int_equal(status, 201);
  assert_int_equal(again.status(), 409);
  assert_string_equal(again.error_code().c_str(), "stream_exists");
}

void shows_what_is_live(void**) {
  FakeBackend backend;
  const auto id = backend.rows->ensure_stream("live", "cam").value().id;
  const auto index = backend.publish("live", "cam", id);
  (void)call(backend, Method::kPut, "streams/1/start_recording");
  backend.save(index, 5000, 2500);
  const Json json = call(backend, Method::kGet, "streams/1").json;
  assert_true(json["live"] == true && json["recording"] == true);
  assert_true(json["recording_duration"] == 2.5);
  assert_true(json["video_width"] == 1920 && json["video_height"] == 1080);
  assert_true(json["frame_rate"] == 29.97);
  assert_true(json["started_at_primary"] == "2027-01-15T08:00:00.000Z");
  assert_true(json["session"]["id"] == "abcdef0123456789");
  assert_true(json["session"]["started_at"] == "2027-01-15T08:00:00.000Z");
  assert_true(json["session"]["frozen"].is_null() && json["session"]["drift"].is_array());
}

// What a worker has written of a session's live playback, as any worker shows it.
void shows_live_playback(void**) {
  FakeBackend backend;
  const auto id = backend.rows->ensure_stream("live", "cam 1").value().id;
  const auto index = backend.publish("live", "cam 1", id);
  transcode::FrozenSource source;
  source.encoder = "obs";
  transcode::FrozenVideo& video = source.video.emplace();
  video.codec = media::Codec::kAvc;
  video.width = video.height = {720, transcode::Origin::kConfiguration};
  video.width.value = 1280;
  video.pix_fmt = {"yuv420p", transcode::Origin::kConfiguration};
  video.frame_rate = {{12, 1}, transcode::Origin::kMetadata};
  transcode::Measured measured;
  measured.video_codec = media::Codec::kAvc;
  measured.width = 1280;
  measured.height = 720;
  measured.pix_fmt = "yuv420p";
  measured.rate_5s = 30.004;
  transcode::PlaybackRecord record(*backend.live_state, "live", "cam 1", 0xabcdef0123456789);
  record.set_source(source, transcode::ladder_of(source, {}));
  record.set_measured(measured, 1U << static_cast<int>(transcode::DriftField::kFrameRate));
  record.set_state(runtime::TranscoderState::kStarting);
  record.flush();
  const Json before = call(backend, Method::kGet, "streams/live/cam%201").json;
  record.set_state(runtime::TranscoderState::kRunning);
  record.set_restarts(2);
  record.set_dropped(7);
  record.set_speed(1010);
  record.flush();
  const Json json = call(backend, Method::kGet, "streams/live/cam%201").json;
  record.set_state(runtime::TranscoderState::kRestarting,
                   "ffmpeg exited: " + std::string(300, 'x') + ": Disk quota exceeded");
  record.flush();
  const Json failing = call(backend, Method::kGet, "streams/live/cam%201").json;
  // A session that has ended takes its playback along; another one's is not written into.
  backend.edit([&](auto& live) { live.edit_stream(index).session.id = 7; });
  record.set_restarts(3);
  record.flush();
  const Json other = call(backend, Method::kGet, "streams/live/cam%201").json;
  backend.edit([&](auto& live) { live.edit_stream(index).session = {}; });
  const Json ended = call(backend, Method::kGet, "streams/live/cam%201").json;

  assert_true(before["hls_url"].is_null() && before["transcoded_qualities"].empty());
  assert_true(before["session"]["transcoder"]["state"] == "starting");
  assert_true(before["iframe_url"] == "https://media.example.com/videos/live/live/cam%201");
  assert_true(json["hls_url"] == "https://media.example.com/videos/live/live/cam%201/master.m3u8");
  assert_true(json["dash_url"] ==
              "https://media.example.com/videos/live/live/cam%201/manifest.mpd");
  assert_true(json["transcoded_qualities"] == Json::parse(R"(["source","480p","360p"])"));
  assert_true(json["transcoding_speed"] == 1.01);
  const Json& session = json["session"];
  assert_string_equal(
      session["frozen"].dump().c_str(),
      R"({"video_codec":"h264","width":1280,"height":720,"pix_fmt":"yuv420p","color_range":null,)"
      R"("frame_rate":12.0,"video_bit_rate":null,"audio_codec":null,"sample_rate":null,)"
      R"("channels":null,"audio_bit_rate":null,"encoder":"obs","origins":{"width":"configuration",)"
      R"("height":"configuration","pix_fmt":"configuration","frame_rate":"onMetaData"}})");
  assert_true(session["measured"]["frame_rate"] == 30.004);
  assert_int_equal(session["drift"].size(), 1);
  assert_true(session["drift"][0]["field"] == "frame_rate");
  assert_true(session["drift"][0]["frozen"] == 12.0 && session["drift"][0]["measured"] == 30.0);
  assert_int_equal(session["drift"][0]["advice"].get<std::string>().rfind(
                       "the session was built for 12 fps; the encoder now sends 30;", 0),
                   0);
  assert_true(session["transcoder"]["restarts"] == 2);
  assert_true(session["transcoder"]["dropped_groups"] == 7);
  assert_true(session["transcoder"]["renditions"][0] ==
              Json::parse(R"({"name":"source","width":1280,"height":720,"video_bit_rate":null,)"
                          R"("audio_bit_rate":null,"copied":true})"));
  assert_true(other["session"]["transcoder"]["restarts"] == 2);
  const std::string error = failing["session"]["transcoder"]["error"];
  assert_true(error.size() <= 160 && error.rfind("ffmpeg exited: ", 0) == 0);
  assert_true(error.find(" ... ") != error.npos && error.ends_with(": Disk quota exceeded"));
  assert_true(ended["session"].is_null() && ended["hls_url"].is_null());
}

void a_live_stream_without_a_row_is_found_and_listed_first(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "kept");
  (void)backend.rows->ensure_stream("live", "kept2");
  backend.publish("live", "odd/\xff", 0);
  const Answer one = call(backend, Method::kGet, "streams/live/odd%2F%FF");
  const Json first = call(backend, Method::kGet, "streams?per_page=2").json;
  const Json second = call(backend, Method::kGet, "streams?per_page=2&page=2").json;
  const Json third = call(backend, Method::kGet, "streams?per_page=2&page=3").json;
  const Answer other = call(backend, Method::kGet, "streams/live/odd");
  assert_int_equal(one.status(), 200);
  assert_true(one.json["id"].is_null() && one.json["live"] == true);
  assert_true(one.json["push_url"] == "rtmp://media.example.com/live/odd%2F%FF");
  assert_true(one.json["name"] == "odd/\xef\xbf\xbd");
  assert_true(first.size() == 2 && first[0]["id"].is_null() && first[1]["name"] == "kept2");
  assert_true(second.size() == 1 && second[0]["name"] == "kept");
  assert_int_equal(third.size(), 0);
  assert_int_equal(other.status(), 404);
  assert_string_equal(other.error_code().c_str(), "stream_not_found");
}

void a_stream_with_a_row_is_listed_once_while_its_id_is_not_known_live(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "cam");
  backend.publish("live", "cam", 0);
  const Json list = call(backend, Method::kGet, "streams").json;
  assert_int_equal(list.size(), 1);
  assert_true(list[0]["id"] == 1 && list[0]["live"] == true);
}

void auto_record_is_kept_then_told_to_the_owner(void**) {
  FakeBackend backend;
  const auto index = backend.publish("live", "cam", 0, 77);
  const Answer on =
      call(backend, Method::kPatch, "streams/live/cam", R"({"stream":{"auto_record":true}})");
  const auto stream = backend.stream(index);
  auto row = backend.rows->stream("live", "cam");
  assert_int_equal(on.status(), 200);
  assert_true(on.json["auto_record"] == true && on.json["id"] == 1);
  assert_true(row.value().auto_record == std::optional<bool>(true));
  assert_true(stream.auto_record == runtime::Setting::kOn);
  assert_true(stream.stream_id == 1 && stream.settings_known == 1);
  assert_true(backend.woken == std::vector<std::int32_t>({77}));
}

void a_setting_that_is_not_kept_is_not_applied(void**) {
  FakeBackend backend;
  const auto index = backend.publish("live", "cam", 0);
  backend.catalog_reachable = false;
  const Answer on = call(backend, Method::kPatch, "streams/live/cam", R"({"auto_record":true})");
  assert_int_equal(on.status(), 503);
  assert_string_equal(on.error_code().c_str(), "catalog_unavailable");
  assert_true(backend.stream(index).auto_record == runtime::Setting::kInherit);
}

void null_gives_auto_record_back_to_the_application(void**) {
  FakeBackend backend;
  (void)call(backend, Method::kPost, "streams",
             R"({"name":"cam","app":"always","auto_record":false})");
  const Answer off = call(backend, Method::kGet, "streams/1");
  const Answer inherited = call(backend, Method::kPatch, "streams/1", R"({"auto_record":null})");
  assert_true(off.json["auto_record"] == false);
  assert_true(inherited.json["auto_record"] == true);
}

void a_name_cannot_be_changed_but_may_be_repeated(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "cam");
  const Answer same = call(backend, Method::kPatch, "streams/1",
                           R"({"name":"cam","app":"live","client_user_id":5,"live":true})");
  const Answer other =
      call(backend, Method::kPatch, "streams/1", R"({"name":"cam2","client_user_id":6})");
  auto kept = backend.rows->stream(1);
  const Answer cleared = call(backend, Method::kPatch, "streams/1", R"({"client_user_id":null})");
  const Answer missing = call(backend, Method::kPatch, "streams/9", R"({"client_user_id":6})");
  assert_int_equal(same.status(), 200);
  assert_true(same.json["client_user_id"] == 5);
  assert_true(cleared.json["client_user_id"].is_null());
  assert_int_equal(other.status(), 400);
  assert_true(kept.value().client_user_id == std::optional<std::int64_t>(5));
  assert_int_equal(missing.status(), 404);
}

void deletes_only_what_is_idle(void**) {
  FakeBackend backend;
  const auto id = backend.rows->ensure_stream("live", "cam").value().id;
  const auto index = backend.publish("live", "cam", id);
  const Answer live = call(backend, Method::kDelete, "streams/1");
  const Answer live_by_name = call(backend, Method::kDelete, "streams/live/cam");
  backend.edit([&](auto& state) {
    state.edit_stream(index).session = {};
    state.edit_stream(index).fence = 9;
  });
  const Answer idle = call(backend, Method::kDelete, "streams/1");
  const Answer twice = call(backend, Method::kDelete, "streams/1");
  assert_int_equal(live.status(), 409);
  assert_string_equal(live.error_code().c_str(), "stream_live");
  assert_int_equal(live_by_name.status(), 409);
  assert_int_equal(idle.status(), 204);
  assert_true(idle.response.body.empty());
  assert_int_equal(twice.status(), 404);
  assert_true(backend.stream(index).stream_id == 0 && backend.stream(index).fence == 9);
}

// Also one that was stopped, and whose file is being finished: its row still says pending.
void does_not_delete_what_is_still_being_finished(void**) {
  FakeBackend backend;
  const auto id = backend.rows->ensure_stream("live", "cam").value().id;
  const auto index = backend.publish("live", "cam", id);
  std::int32_t recording = runtime::kNone;
  backend.edit([&](auto& state) {
    recording = state.add_recording().value();
    auto& record = state.edit_recording(recording);
    record.stream = index;
    record.state = runtime::RecordingState::kEnding;
    state.edit_stream(index).session = {};
  });
  const Answer unsettled = call(backend, Method::kDelete, "streams/1");
  backend.edit([&](auto& state) { state.remove_recording(recording); });
  const Answer settled = call(backend, Method::kDelete, "streams/1");
  assert_int_equal(unsettled.status(), 409);
  assert_string_equal(unsettled.error_code().c_str(), "stream_live");
  assert_int_equal(settled.status(), 204);
}

void does_not_delete_a_live_stream_that_has_no_known_id(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "cam");
  backend.publish("live", "cam", 0);
  const Answer answer = call(backend, Method::kDelete, "streams/1");
  assert_int_equal(answer.status(), 409);
  assert_true(bool(backend.rows->stream(1)));
}

void the_catalogue_away_is_503(void**) {
  FakeBackend backend;
  backend.catalog_reachable = false;
  const Answer list = call(backend, Method::kGet, "streams");
  const Answer one = call(backend, Method::kGet, "streams/1");
  assert_int_equal(list.status(), 503);
  assert_int_equal(one.status(), 503);
  assert_true(one.error_message().find("away") != std::string::npos);
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(adds_a_stream_and_shows_every_field),
    cmocka_unit_test(needs_an_app_unless_there_is_one_to_choose),
    cmocka_unit_test(shows_what_is_live),
    cmocka_unit_test(shows_live_playback),
    cmocka_unit_test(a_live_stream_without_a_row_is_found_and_listed_first),
    cmocka_unit_test(a_stream_with_a_row_is_listed_once_while_its_id_is_not_known_live),
    cmocka_unit_test(auto_record_is_kept_then_told_to_the_owner),
    cmocka_unit_test(a_setting_that_is_not_kept_is_not_applied),
    cmocka_unit_test(null_gives_auto_record_back_to_the_application),
    cmocka_unit_test(a_name_cannot_be_changed_but_may_be_repeated),
    cmocka_unit_test(deletes_only_what_is_idle),
    cmocka_unit_test(does_not_delete_what_is_still_being_finished),
    cmocka_unit_test(does_not_delete_a_live_stream_that_has_no_known_id),
    cmocka_unit_test(the_catalogue_away_is_503),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
