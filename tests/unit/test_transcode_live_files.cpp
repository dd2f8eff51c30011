// Where live playback lies on disk, and which URL leads there.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "transcode/live_folder.hpp"
#include "transcode/live_path.hpp"

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

void players_are_sent_to_a_run_when_its_playlists_are_there(void**) {
  const Folder root;
  const std::string stream = stream_folder(root.path, "live", "a");
  const std::string run = new_run_name(1000);
  assert_true(static_cast<bool>(make_run_folder(stream, run, true)));
  assert_true(publish_master(stream, run, 2, "master").error().code == Errc::kNotFound);
  assert_true(current_run(stream).error().code == Errc::kNotFound);
  write(stream + "/" + run + "/media_0.m3u8", "0");
  assert_true(publish_master(stream, run, 2, "master").error().code == Errc::kNotFound);
  write(stream + "/" + run + "/media_1.m3u8", "1");
  assert_true(static_cast<bool>(publish_master(stream, run, 2, "master")));
  assert_string_equal(current_run(stream).value().c_str(), run.c_str());
  assert_string_equal(read(stream + "/current/master.m3u8").c_str(), "master");
}

void a_new_session_hides_the_old_one_at_once_and_for_good(void**) {
  const Folder root;
  const std::string stream = stream_folder(root.path, "live", "a");
  const std::string old_run = new_run_name(1000), new_run = new_run_name(2000);
  assert_true(old_run < new_run);
  for (const std::string& run : {old_run, new_run}) {
    assert_true(static_cast<bool>(make_run_folder(stream, run, true)));
    write(stream + "/" + run + "/media_0.m3u8", "0");
  }
  assert_true(static_cast<bool>(publish_master(stream, old_run, 1, "old")));  // late
  assert_true(current_run(stream).error().code == Errc::kNotFound);
  assert_true(static_cast<bool>(publish_master(stream, new_run, 1, "new")));
  assert_string_equal(current_run(stream).value().c_str(), new_run.c_str());
}

void a_restart_shows_the_old_run_until_the_new_one_plays(void**) {
  const Folder root;
  const std::string stream = stream_folder(root.path, "live", "a");
  const std::string first = new_run_name(1000), second = new_run_name(2000);
  assert_true(static_cast<bool>(make_run_folder(stream, first, true)));
  write(stream + "/" + first + "/media_0.m3u8", "#EXTM3U\n");
  assert_true(static_cast<bool>(publish_master(stream, first, 1, "first")));
  assert_true(static_cast<bool>(make_run_folder(stream, second, false)));
  assert_string_equal(current_run(stream).value().c_str(), first.c_str());
  for (int i = 0; i < 2; ++i) {  // whoever died has not ended it; and nobody ends it twice
    assert_true(static_cast<bool>(end_playlists(stream + "/" + first, 2)));
    assert_string_equal(read(stream + "/" + first + "/media_0.m3u8").c_str(),
                        "#EXTM3U\n#EXT-X-ENDLIST\n");
  }
}

void what_nobody_uses_is_swept_and_nothing_else(void**) {
  const Folder root;
  constexpr std::int64_t kNow = 1'800'000'000'000, kOld = kNow - 61000, kKeep = 60000;
  const std::string gone = new_run_name(1000), used = new_run_name(2000),
                    fresh = new_run_name(3000);
  const std::string one = stream_folder(root.path, "live", "one");
  const std::string two = stream_folder(root.path, "live", "two");
  assert_true(static_cast<bool>(make_run_folder(one, gone, true)));
  write(one + "/" + gone + "/0-000001.m4s", "media");
  set_age(one + "/" + gone, kOld);
  assert_true(static_cast<bool>(make_run_folder(two, used, true)));
  assert_true(static_cast<bool>(make_run_folder(two, fresh, true)));
  set_age(two + "/" + used, kOld);
  set_age(two + "/" + fresh, kNow - 1000);
  // Of somebody else, although the folder was given to us.
  fs::create_directories(root.path + "/www/empty");
  fs::create_directories(root.path + "/www/html/0123456789abcdef");
  write(root.path + "/www/html/" + gone, "a file of such a name");
  fs::create_directories(root.path + "/elsewhere/" + gone);
  fs::create_directory_symlink(root.path + "/elsewhere", root.path + "/www/link");
  sweep(root.path, kKeep, kNow, [&](const std::string& run) { return run == used; });
  assert_false(fs::exists(one));
  assert_true(fs::exists(two + "/" + used) && fs::exists(two + "/" + fresh));
  assert_true(fs::exists(root.path + "/www/empty"));
  assert_true(fs::exists(root.path + "/www/html/0123456789abcdef"));
  assert_true(fs::exists(root.path + "/www/html/" + gone));
  assert_true(fs::exists(root.path + "/elsewhere/" + gone));
  set_age(two + "/" + fresh, kOld);
  sweep(root.path, kKeep, kNow, [](const std::string&) { return false; });
  assert_false(fs::exists(root.path + "/live"));
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

const std::string kRun = "0123456789abcdef0123456789abcdef";

void urls_lead_to_files(void**) {
  const auto master = parse_live_path("live/app/name/master.m3u8");
  assert_true(master && master->app == "app" && master->name == "name");
  assert_true(master->run.empty() && master->file == "master.m3u8");
  assert_true(parse_live_path("live/app/name/manifest.mpd").has_value());
  const auto page = parse_live_path("live/app/name");
  assert_true(page && page->name == "name" && page->run.empty() && page->file.empty());
  const auto segment = parse_live_path("live/a%2Fb/n%20m/" + kRun + "/0-000017.m4s");
  assert_true(segment && segment->app == "a/b" && segment->name == "n m");
  assert_true(segment->run == kRun && segment->file == "0-000017.m4s");
  assert_false(segment->is_playlist());
  assert_true(segment->content_type() == "video/iso.segment");
  const auto media = parse_live_path("live/a/b/" + kRun + "/media_0.m3u8");
  assert_true(media && media->is_playlist());
  assert_true(media->content_type() == "application/vnd.apple.mpegurl");
}

void other_urls_lead_nowhere(void**) {
  const std::string paths[] = {"",
                               "live",
                               "live/app",
                               "live/app/name/",
                               "live/app/name/media_0.m3u8",
                               "live/app/name/" + kRun,
                               "live/app/name/" + kRun + "/",
                               "live/app/name/" + kRun + "/.hidden.m4s",
                               "live/app/name/" + kRun + "/a%2Fb.m4s",
                               "live/app/name/" + kRun + "/..%2F..%2Fb.m4s",
                               "live/app/name/" + kRun + "/0.m4s.tmp",
                               "live/app/name/" + kRun + "/0.txt",
                               "live/app/name/" + kRun + "/a/0.m4s",
                               "live/app/name/current/master.m3u8",
                               "live/app/name/" + kRun.substr(1) + "/0.m4s",
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
      cmocka_unit_test(players_are_sent_to_a_run_when_its_playlists_are_there),
      cmocka_unit_test(a_new_session_hides_the_old_one_at_once_and_for_good),
      cmocka_unit_test(a_restart_shows_the_old_run_until_the_new_one_plays),
      cmocka_unit_test(what_nobody_uses_is_swept_and_nothing_else),
      cmocka_unit_test(no_name_of_an_encoder_escapes),
      cmocka_unit_test(only_regular_files_are_opened),
      cmocka_unit_test(urls_lead_to_files),
      cmocka_unit_test(other_urls_lead_nowhere),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
