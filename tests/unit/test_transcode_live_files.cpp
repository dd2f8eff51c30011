// Where live playback lies on disk, and which URL leads there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "runtime/stream_lock.hpp"
#include "transcode/live_folder.hpp"
#include "transcode/live_path.hpp"
#include "transcode/live_sweep.hpp"
#include "transcode/session_reader.hpp"

#include "cmocka.hpp"

namespace {

namespace fs = std::filesystem;
using namespace recording;
using namespace recording::transcode;

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/recording-live-XXXXXX";
    assert_non_null(::mkdtemp(name));
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string path;
};

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void set_age(const std::string& path, std::int64_t wall_ms) {
  const timespec times[] = {{wall_ms / 1000, 0}, {wall_ms / 1000, 0}};
  assert_int_equal(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

RunPath run_of(const std::string& session, int number) { return {session, run_name(number)}; }

void make(const std::string& stream, const RunPath& run, bool first) {
  assert_true(static_cast<bool>(make_run_folder(stream, run, first)));
}

void publish(const std::string& stream, const RunPath& run, const std::string& master) {
  assert_true(static_cast<bool>(publish_master(stream, run, 1, master)));
}

// One segment of each number, as ffmpeg writes them.
void write_media(const std::string& folder, int segments) {
  std::string text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-MAP:URI=\"init-0.mp4\"\n";
  write(folder + "/init-0.mp4", "map");
  for (int i = 1; i <= segments; ++i) {
    const std::string name = "0-" + std::to_string(i) + ".m4s";
    write(folder + "/" + name, "media");
    text += "#EXTINF:2.0,\n" + name + "\n";
  }
  write(folder + "/media_0.m3u8", text);
}

std::string playlist(const std::string& session_folder, const std::string& lock,
                     const std::string& file = "media_0.m3u8") {
  auto text = read_session_playlist(session_folder, file, lock);
  return text ? text.value() : "none";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void players_are_sent_to_a_session_when_its_playlists_are_there(void**) {
  const Folder root;
  const std::string stream = stream_folder(root.path, "live", "a");
  const RunPath run = run_of(new_session_name(1000), 0);
  make(stream, run, true);
  assert_true(publish_master(stream, run, 2, "master").error().code == Errc::kNotFound);
  assert_true(current_run(stream).error().code == Errc::kNotFound);
  write(stream + "/" + run.text() + "/media_0.m3u8", "0");
  assert_true(publish_master(stream, run, 2, "master").error().code == Errc::kNotFound);
  write(stream + "/" + run.text() + "/media_1.m3u8", "1");
  assert_true(static_cast<bool>(publish_master(stream, run, 2, "master")));
  assert_string_equal(current_run(stream).value().text().c_str(), run.text().c_str());
  assert_string_equal(read(stream + "/current/master.m3u8").c_str(), "master");
}

void a_new_session_hides_the_old_one_at_once_and_for_good(void**) {
  const Folder root;
  const std::string stream = stream_folder(root.path, "live", "a");
  const RunPath old_run = run_of(new_session_name(1000), 3);
  const RunPath new_run = run_of(new_session_name(2000), 0);
  assert_true(old_run.session < new_run.session);
  for (const RunPath& run : {old_run, new_run}) {
    make(stream, run, true);
    write(stream + "/" + run.text() + "/media_0.m3u8", "0");
  }
  publish(stream, old_run, "old");  // late
  assert_true(current_run(stream).error().code == Errc::kNotFound);
  publish(stream, new_run, "new");
  assert_string_equal(current_run(stream).value().text().c_str(), new_run.text().c_str());
}

void a_session_s_playlists_go_on_over_restarts_and_end_with_it(void**) {
  const Folder root;
  const std::string stream = stream_folder(root.path, "live", "a"), lock = root.path + "/lock";
  const std::string session = new_session_name(1000), folder = stream + "/" + session;
  std::optional<runtime::OwnerLock> owner =
      std::move(runtime::OwnerLock::try_acquire(lock)).value();
  assert_string_equal(playlist(folder, lock).c_str(), "none");
  make(stream, run_of(session, 0), true);
  write_media(folder + "/000000", 2);
  assert_string_equal(playlist(folder, lock).c_str(), "none");  // nobody was sent to it yet
  publish(stream, run_of(session, 0), "first");
  const std::string first = playlist(folder, lock);
  assert_true(contains(first, "\n000000/0-2.m4s\n"));
  for (int i = 0; i < 2; ++i) {  // of a run that died, for who reads its folder; and only once
    assert_true(static_cast<bool>(end_playlists(folder + "/000000", 2)));
    assert_true(read(folder + "/000000/media_0.m3u8").ends_with("0-2.m4s\n#EXT-X-ENDLIST\n"));
  }
  assert_string_equal(playlist(folder, lock).c_str(), first.c_str());
  // One that makes nothing, and one that does.
  make(stream, run_of(session, 1), false);
  make(stream, run_of(session, 2), false);
  write_media(folder + "/000002", 1);
  assert_string_equal(playlist(folder, lock).c_str(), first.c_str());
  assert_string_equal(current_run(stream).value().run.c_str(), "000000");
  publish(stream, run_of(session, 2), "second");
  const std::string second = playlist(folder, lock);
  assert_true(contains(second,
                       "\n000000/0-2.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="
                       "\"000002/init-0.mp4\"\n#EXTINF:2.0,\n000002/0-1.m4s\n"));
  assert_false(contains(second, "ENDLIST"));
  assert_string_equal(playlist(folder, lock, "master.m3u8").c_str(), "second");
  assert_string_equal(playlist(folder, lock, "media_1.m3u8").c_str(), "none");
  owner.reset();  // its worker may have died, and nobody else writes the end
  assert_string_equal(playlist(folder, lock).c_str(), (second + "#EXT-X-ENDLIST\n").c_str());
}

constexpr std::int64_t kNow = 1'800'000'000'000, kOld = kNow - 61000, kKeep = 60000;

void what_nobody_uses_is_swept_and_nothing_else(void**) {
  const Folder root;
  const std::string gone = new_session_name(1000), used = new_session_name(2000),
                    fresh = new_session_name(3000);
  const std::string one = stream_folder(root.path, "live", "one");
  const std::string two = stream_folder(root.path, "live", "two");
  make(one, run_of(gone, 0), true);
  write(one + "/" + gone + "/000000/0-000001.m4s", "media");
  for (const std::string& session : {used, fresh}) {
    make(two, run_of(session, 0), true);
  }
  for (const std::string& folder : {one + "/" + gone, two + "/" + used, two + "/" + fresh}) {
    set_age(folder + "/000000", kOld);
    set_age(folder, kOld);
  }
  set_age(two + "/" + fresh + "/000000", kNow - 1000);
  // Of somebody else, although the folder was given to us.
  fs::create_directories(root.path + "/www/empty");
  fs::create_directories(root.path + "/www/html/0123456789abcdef");
  write(root.path + "/www/html/" + gone, "a file of such a name");
  fs::create_directories(root.path + "/elsewhere/" + gone);
  fs::create_directory_symlink(root.path + "/elsewhere", root.path + "/www/link");
  sweep(root.path, kKeep, kNow, [&](const std::string& session) { return session == used; });
  assert_false(fs::exists(one));
  assert_true(fs::exists(two + "/" + used) && fs::exists(two + "/" + fresh));
  assert_true(fs::exists(root.path + "/www/empty"));
  assert_true(fs::exists(root.path + "/www/html/0123456789abcdef"));
  assert_true(fs::exists(root.path + "/www/html/" + gone));
  assert_true(fs::exists(root.path + "/elsewhere/" + gone));
  set_age(two + "/" + fresh + "/000000", kOld);
  sweep(root.path, kKeep, kNow, [](const std::string&) { return false; });
  assert_false(fs::exists(root.path + "/live"));
}

void a_run_that_is_over_is_swept_when_it_is_listed_no_more(void**) {
  const Folder root;
  const std::string stream = stream_folder(root.path, "live", "a"), lock = root.path + "/lock";
  const std::string session = new_session_name(1000), folder = stream + "/" + session;
  const auto sweep_now = [&] {
    set_age(folder + "/000000", kOld);
    sweep(root.path, kKeep, kNow, [](const std::string&) { return true; });
  };
  const auto has_media = [&] { return fs::exists(folder + "/000000/0-1.m4s"); };
  make(stream, run_of(session, 0), true);
  write_media(folder + "/000000", 3);
  publish(stream, run_of(session, 0), "first");
  sweep_now();
  assert_true(has_media());  // of the last run nothing is taken, however long it is silent
  make(stream, run_of(session, 1), false);
  write_media(folder + "/000001", 5);
  publish(stream, run_of(session, 1), "second");
  sweep_now();
  assert_true(has_media());
  write_media(folder + "/000001", 6);
  sweep_now();
  assert_false(has_media());
  // A run that cannot write for lack of room gets it, and the numbers go on.
  make(stream, run_of(session, 2), false);
  set_age(folder + "/000001", kOld);
  sweep_now();
  assert_false(fs::exists(folder + "/000001/0-1.m4s"));
  assert_true(contains(playlist(folder, lock), "#EXT-X-MEDIA-SEQUENCE:10\n"));
  write_media(folder + "/000002", 1);
  publish(stream, run_of(session, 2), "third");
  const std::string text = playlist(folder, lock);
  assert_true(contains(text, "#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n"));
  assert_true(contains(text, "000002/0-1.m4s") && !contains(text, "000001/"));
}

void no_name_of_an_encoder_escapes(void**) {
  const Folder root;
  for (const char* name : {"..", ".", "../../etc", "a/b", "current", "\xff\x01", ""}) {
    const std::string folder = stream_folder(root.path, "..", name);
    assert_true(fs::path(folder).lexically_normal().string() == folder);
    assert_true(folder.starts_with(root.path + "/"));
    assert_true(fs::path(folder).parent_path().parent_path() == root.path);
  }
}

void only_regular_files_are_opened(void**) {
  const Folder root;
  write(root.path + "/0.m4s", "media");
  fs::create_symlink("/etc/passwd", root.path + "/link.m4s");
  assert_int_equal(::mkfifo((root.path + "/fifo.m4s").c_str(), 0600), 0);
  auto opened = open_live_file(root.path + "/0.m4s");
  assert_true(static_cast<bool>(opened));
  assert_int_equal(opened.value().size, 5);
  assert_true(open_live_file(root.path + "/none.m4s").error().code == Errc::kNotFound);
  for (const char* name : {"/link.m4s", "/fifo.m4s", ""}) {
    assert_false(static_cast<bool>(open_live_file(root.path + name)));
  }
}

const std::string kSession = "0123456789abcdef0123456789abcdef";

void urls_lead_to_files(void**) {
  const auto master = parse_live_path("live/app/name/master.m3u8");
  assert_true(master && master->app == "app" && master->name == "name");
  assert_true(master->session.empty() && master->file == "master.m3u8");
  assert_true(parse_live_path("live/app/name/manifest.mpd").has_value());
  const auto page = parse_live_path("live/app/name");
  assert_true(page && page->name == "name" && page->session.empty() && page->file.empty());
  const auto segment = parse_live_path("live/a%2Fb/n%20m/" + kSession + "/000002/0-000017.m4s");
  assert_true(segment && segment->app == "a/b" && segment->name == "n m");
  assert_true(segment->session == kSession && segment->run == "000002");
  assert_true(segment->file == "0-000017.m4s");
  assert_false(segment->is_playlist());
  assert_true(segment->content_type() == "video/iso.segment");
  const auto media = parse_live_path("live/a/b/" + kSession + "/media_0.m3u8");
  assert_true(media && media->session == kSession && media->run.empty() && media->is_playlist());
  assert_true(media->content_type() == "application/vnd.apple.mpegurl");
  const auto manifest = parse_live_path("live/a/b/" + kSession + "/000000/manifest.mpd");
  assert_true(manifest && manifest->run == "000000" && manifest->is_playlist());
}

void other_urls_lead_nowhere(void**) {
  const std::string run = "live/app/name/" + kSession + "/000000";
  const std::string paths[] = {"",
                               "live",
                               "live/app",
                               "live/app/name/",
                               "live/app/name/media_0.m3u8",
                               "live/app/name/" + kSession,
                               "live/app/name/" + kSession + "/",
                               "live/app/name/" + kSession + "/0-000001.m4s",
                               "live/app/name/" + kSession + "/manifest.mpd",
                               "live/app/name/" + kSession + "/..%2Fmedia_0.m3u8",
                               run,
                               run + "/",
                               run + "/media_0.m3u8",
                               run + "/.hidden.m4s",
                               run + "/a%2Fb.m4s",
                               run + "/..%2F..%2Fb.m4s",
                               run + "/0.m4s.tmp",
                               run + "/0.txt",
                               run + "/a/0.m4s",
                               run + "0/0.m4s",
                               "live/app/name/" + kSession + "/00000a/0.m4s",
                               "live/app/name/current/master.m3u8",
                               "live/app/name/current/000000/0.m4s",
                               "live/app/name/" + kSession.substr(1) + "/000000/0.m4s",
                               "live/app/%zz/master.m3u8",
                               "live//name/master.m3u8",
                               "other/app/name/master.m3u8"};
  for (const std::string& path : paths) {
    if (parse_live_path(path)) {
      fail_msg("\"%s\" leads somewhere", path.c_str());
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(players_are_sent_to_a_session_when_its_playlists_are_there),
      cmocka_unit_test(a_new_session_hides_the_old_one_at_once_and_for_good),
      cmocka_unit_test(a_session_s_playlists_go_on_over_restarts_and_end_with_it),
      cmocka_unit_test(what_nobody_uses_is_swept_and_nothing_else),
      cmocka_unit_test(a_run_that_is_over_is_swept_when_it_is_listed_no_more),
      cmocka_unit_test(no_name_of_an_encoder_escapes),
      cmocka_unit_test(only_regular_files_are_opened),
      cmocka_unit_test(urls_lead_to_files),
      cmocka_unit_test(other_urls_lead_nowhere),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
