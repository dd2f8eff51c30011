// Live playback of a publish, from its first message to its end, with a program that only claims to
// transcode.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/inline_executor.hpp"
#include "support/memory_log.hpp"
#include "support/poll_loop.hpp"
#include "test_recorder_encoder.hpp"
#include "test_runtime_support.hpp"
#include "transcode/live_folder.hpp"
#include "transcode/live_sessions.hpp"
#include "transcode/session_reader.hpp"

#include "cmocka.hpp"

namespace {

namespace fs = std::filesystem;
using namespace recording;
using namespace recording::test;
using media::TrackKind;
using transcode::LiveSession;
using transcode::TranscoderState;

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Heard final : transcode::LiveObserver {
  int starts = 0, failures = 0;
  void started(const LiveSession&) override { ++starts; }
  void failed(const LiveSession&) override { ++failures; }
  void drifted(const LiveSession&, const std::vector<transcode::Drift>&) override {}
};

// A worker, and an encoder that publishes to it.
class Stage {
 public:
  // `script`: what the program does, in $dir; "$@" are ffmpeg's arguments.
  explicit Stage(const std::string& script, int restarts = 10) {
    char name[] = "/tmp/recording-live-XXXXXX";
    root = ::mkdtemp(name);
    const std::string command = root + "/program";
    std::ofstream(command) << "#!/bin/sh\nfor last; do :; done\ndir=${last%/*}\n"
                              "playlists() { for i in 0 1 2 3; do printf \"$1\" >> "
                              "$dir/media_$i.m3u8; done; }\n"
                              "progress() { echo out_time_us=$1; echo progress=continue; }\n"
                           << script;
    ::chmod(command.c_str(), 0755);
    settings.path = root + "/live";
    settings.command = command;
    settings.restarts = restarts;
    state = std::move(runtime::LiveState::open(runtime.path(), 1 << 20)).value();
  }
  ~Stage() {
    sessions.reset();
    fs::remove_all(root);
  }

  LiveSession& begin(Executor& files) {
    sessions.emplace(transcode::LiveEnvironment{*state, clock, log, files, loop, heard,
                                                RECORDING_LAUNCHER, runtime.path()},
                     std::vector<std::string>{settings.path});
    session = sessions->begin("live", "cam", 0, settings);
    return *session;
  }
  LiveSession& begin() { return begin(executor); }

  void give(TrackKind kind, const Bytes& bytes) {
    const iovec piece{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    session->on_message(kind, static_cast<std::uint32_t>(ms), {&piece, 1});
  }
  void describe() {
    give(TrackKind::kVideo, flv_video(true, 0, avc_record(small_sps(), small_pps())));
    give(TrackKind::kAudio, flv_aac(0, aac_record()));
  }
  // One picture, a packet of sound, and 40 ms.
  void send() {
    Bytes picture(400, 7);
    const bool key = pictures++ % 25 == 0;
    picture[0] = key ? 0x65 : 0x41;
    picture[1] = 0xB8;
    give(TrackKind::kVideo, flv_video(key, 1, nal(picture)));
    give(TrackKind::kAudio, flv_aac(1, Bytes(40, 1)));
    ms += 40;
    clock.advance(40);
    if (ms % 1000 == 0) {
      sessions->tick();
    }
  }
  // Publishes until it is so. Real programs take real time: some turns of the loop for each
  // picture.
  bool publish_until(const std::function<bool()>& condition) {
    return loop.run_until(condition, [this] { send(); });
  }
  bool wait_until(const std::function<bool()>& condition) {
    return loop.run_until(condition, [this] {
      clock.advance(100);
      session->tick();  // it stays, to be looked at
    });
  }

  [[nodiscard]] std::string folder() const {
    return transcode::stream_folder(settings.path, "live", "cam");
  }
  // Folders, of which the stream has one for each session, and the session one for each run.
  [[nodiscard]] static std::vector<std::string> folders_in(const std::string& folder) {
    std::vector<std::string> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      if (entry.is_directory() && !entry.is_symlink()) {
        found.push_back(entry.path().string());
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  [[nodiscard]] std::string session_folder() const {
    const auto found = folders_in(folder());
    assert_int_equal(found.size(), 1);
    return found[0];
  }
  [[nodiscard]] std::vector<std::string> runs() const { return folders_in(session_folder()); }
  // As players get it.
  [[nodiscard]] std::string playlist() const {
    const std::string shown = session_folder();
    const std::string lock =
        transcode::session_lock_path(runtime.path(), fs::path(shown).filename().string());
    auto text = transcode::read_session_playlist(shown, "media_0.m3u8", lock);
    return text ? text.value() : std::string();
  }
  [[nodiscard]] bool playable() const {
    return static_cast<bool>(transcode::current_run(folder()));
  }

  std::string root;
  TempDirectory runtime;
  std::unique_ptr<runtime::LiveState> state;
  FakeClock clock;
  MemoryLog log;
  InlineExecutor executor;
  PollLoop loop;
  Heard heard;
  transcode::TranscoderSettings settings;
  std::optional<transcode::LiveSessions> sessions;
  LiveSession* session = nullptr;
  std::int64_t ms = 0;
  int pictures = 0;
};

// A program as it should be.
const char* const kGood =
    "playlists '#EXTM3U\\n'; progress 40000; cat > $dir/input; playlists '#EXT-X-ENDLIST\\n'";

// One that dies when it has taken a while of it.
const char* const kDies =
    "playlists '#EXTM3U\\n'; progress 40000; head -c 20000 > /dev/null; echo it broke >&2; exit 7";

void a_session_is_played_and_finished(void**) {
  Stage stage(kGood);
  LiveSession& session = stage.begin();
  stage.describe();
  assert_true(stage.publish_until([&] { return stage.heard.starts == 1 && stage.playable(); }));
  assert_true(session.supervisor().state() == TranscoderState::kRunning);
  assert_int_equal(stage.runs().size(), 1);
  const std::string run = stage.runs()[0];
  assert_true(read(run + "/master.m3u8").find("CODECS=") != std::string::npos);
  const int sent = stage.pictures;
  session.end();
  assert_true(stage.wait_until([&] { return session.over(); }));
  // All of it, from the first picture on: two tags for each, the configurations and onMetaData.
  const std::string input = read(run + "/input");
  assert_true(input.starts_with("FLV"));
  std::size_t tags = 0;
  for (std::size_t at = 13; at < input.size(); ++tags) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(input[at + i]); };
    at += 15 + (std::size_t{byte(1)} << 16 | std::size_t{byte(2)} << 8 | byte(3));
  }
  assert_int_equal(tags, 2 * sent + 3);
  assert_true(read(run + "/media_0.m3u8").ends_with("#EXT-X-ENDLIST\n"));
  assert_int_equal(stage.log.count_from(LogLevel::kWarn), 0);
}

void one_that_dies_is_replaced_in_time_and_players_go_on(void**) {
  Stage stage(kDies);
  LiveSession& session = stage.begin();
  stage.describe();
  assert_true(stage.publish_until([&] { return session.supervisor().restarts() == 2; }));
  // 1 s and 2 s after the first and the second end.
  assert_true(stage.ms >= 3000);
  assert_true(stage.wait_until(
      [&] { return read(stage.runs()[0] + "/media_0.m3u8") == "#EXTM3U\n#EXT-X-ENDLIST\n"; }));
  assert_true(stage.runs().size() >= 2);
  assert_true(stage.playlist().starts_with("#EXTM3U\n"));
  assert_true(stage.playlist().find("ENDLIST") == std::string::npos);
  assert_true(stage.log.count("is started again: program exited with status 7: it broke") >= 1);
  session.end();
  assert_true(stage.wait_until([&] { return session.over(); }));
  assert_true(stage.playlist().ends_with("#EXT-X-ENDLIST\n"));
}

void what_is_given_up_ends_for_players_too(void**) {
  Stage stage(kDies, 1);
  LiveSession& session = stage.begin();
  stage.describe();
  assert_true(stage.publish_until(
      [&] { return session.supervisor().state() == TranscoderState::kFailed; }));
  assert_true(stage.playlist().ends_with("#EXT-X-ENDLIST\n"));
}

void what_never_works_is_given_up_and_said(void**) {
  Stage stage("echo it broke >&2; exit 7", 1);
  LiveSession& session = stage.begin();
  stage.describe();
  assert_true(stage.publish_until(
      [&] { return session.supervisor().state() == TranscoderState::kFailed; }));
  assert_int_equal(stage.heard.failures, 1);
  assert_int_equal(stage.heard.starts, 0);
  assert_string_equal(session.supervisor().error().c_str(),
                      "program exited with status 7: it broke");
  for (int i = 0; i < 100; ++i) {
    stage.send();  // costs nothing any more
  }
  session.end();
  assert_true(session.over());
}

void one_that_hangs_is_replaced(void**) {
  Stage stage("playlists '#EXTM3U\\n'; progress 40000; kill -STOP $$");
  LiveSession& session = stage.begin();
  stage.describe();
  assert_true(stage.publish_until([&] { return session.supervisor().restarts() == 1; }));
  assert_true(stage.log.count("it made nothing any more of what it was sent") == 1);
  session.end();
  assert_true(stage.wait_until([&] { return session.over(); }));
}

void one_whose_files_stay_empty_is_replaced(void**) {
  Stage stage("playlists ''; progress 40000; cat > /dev/null");
  LiveSession& session = stage.begin();
  stage.describe();
  assert_true(stage.publish_until([&] { return session.supervisor().restarts() == 1; }));
  assert_true(stage.log.count("what it makes cannot be written: it writes empty files") == 1);
  assert_false(stage.playable());
  session.end();
  assert_true(stage.wait_until([&] { return session.over(); }));
}

void a_publisher_that_leaves_at_once_starts_nothing(void**) {
  Stage stage(kGood);
  QueuedExecutor files;
  LiveSession& session = stage.begin(files);
  stage.describe();
  for (int i = 0; i < 100; ++i) {
    stage.send();
  }
  assert_true(session.supervisor().state() == TranscoderState::kStarting);
  session.end();
  assert_false(session.over());  // the folder is still being made
  while (files.drain() > 0) {
  }
  assert_true(session.over());
  assert_int_equal(stage.loop.watching(), 0);
}

void a_worker_that_exits_leaves_no_program(void**) {
  Stage stage("echo pid=$$ >&2; progress 40000; cat > /dev/null");
  LiveSession& session = stage.begin();
  stage.describe();
  assert_true(stage.publish_until([&] { return stage.heard.starts == 1; }));
  (void)session;
  std::string pid;
  for (const auto& line : stage.log.lines()) {
    if (const std::size_t at = line.text.find("pid="); at != std::string::npos) {
      pid = line.text.substr(at + 4);
    }
  }
  stage.sessions->leave();
  assert_int_equal(stage.loop.watching(), 0);
  assert_true(stage.loop.run_until([&] { return ::kill(std::stoi(pid), 0) != 0; }));
}

}  // namespace

int main() {
  ::signal(SIGPIPE, SIG_IGN);
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_session_is_played_and_finished),
      cmocka_unit_test(one_that_dies_is_replaced_in_time_and_players_go_on),
      cmocka_unit_test(what_is_given_up_ends_for_players_too),
      cmocka_unit_test(what_never_works_is_given_up_and_said),
      cmocka_unit_test(one_that_hangs_is_replaced),
      cmocka_unit_test(one_whose_files_stay_empty_is_replaced),
      cmocka_unit_test(a_publisher_that_leaves_at_once_starts_nothing),
      cmocka_unit_test(a_worker_that_exits_leaves_no_program),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
