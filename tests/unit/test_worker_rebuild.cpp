// A catalogue that was lost is made again of what the recordings' files tell.
#include <string>

#include "config/config.hpp"
#include "support/mem_file.hpp"
#include "support/memory_log.hpp"
#include "support/mp4_fixture.hpp"
#include "worker/rebuild.hpp"
#include "test_catalog_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using catalog::VideoRow;

constexpr std::int64_t kStarted = 1'700'000'000'000;

std::string slug(char digit) { return std::string(32, digit); }

mp4::Identity identity(char digit, std::int64_t video_id, std::uint32_t sequence = 1) {
  mp4::Identity identity;
  identity.slug = slug(digit);
  identity.app = "live";
  identity.stream = "cam";
  identity.video_id = video_id;
  identity.stream_id = 77;
  identity.started_wall_ms = kStarted + sequence;
  identity.transaction_id = "t";
  identity.sequence = sequence;
  identity.record_type = "origin";
  return identity;
}

// A storage with recordings, and a catalogue that knows nothing.
struct Fixture {
  Fixture() : rows(test::open_catalog(folder)) {
    config.storage = "/videos";
    config.renditions = {{"480p", 480, 1'000'000, 64'000}};
    test::must(files.make_directories("/videos/.processing/work"));
  }
  std::string path(char digit) const { return "/videos/live/cam/2023-11-14/" + slug(digit); }
  void save(const mp4::Identity& of, const std::string& name, bool finished = true) {
    const std::string folder_path = "/videos/live/cam/2023-11-14/" + of.slug;
    test::must(files.make_directories(folder_path));
    auto file = test::must(
        mp4::RecordingFile::create(test::must(files.create(folder_path + "/" + name)), of));
    auto life = test::eventful_life();
    for (test::OwnedFragment& fragment : life) {
      test::must(fragment.append_to(*file));
    }
    if (finished) {
      test::must(file->finish());
    }
  }
  worker::Rebuilt rebuild() {
    return test::must(worker::rebuild_catalog(config, files, *rows, log));
  }
  VideoRow video(char digit) { return test::must(rows->video_by_slug(slug(digit))); }

  test::TemporaryFolder folder;
  std::unique_ptr<catalog::Catalog> rows;
  config::Config config;
  test::MemFileSystem files;
  test::MemoryLog log;
};

void a_video_is_as_its_file_tells(void**) {
  Fixture f;
  f.save(identity('a', 41), "source.mp4");
  f.save(identity('a', 41), "480p.mp4");
  f.files.put(f.path('a') + "/720p.mp4", Bytes(100, 1));  // nothing that can be read
  f.files.put(f.path('a') + "/poster.jpg", Bytes(100, 1));
  assert_int_equal(f.rebuild().put, 1);
  const VideoRow video = f.video('a');
  assert_int_equal(video.id, 41);
  assert_string_equal(video.status.c_str(), "viewable");
  assert_string_equal(video.path.c_str(), f.path('a').substr(8).c_str());
  assert_string_equal(video.transaction_id.c_str(), "t");
  assert_true(video.sequence == 1 && video.last_sequence && !video.uniform);
  assert_int_equal(video.recording_started_at, kStarted + 1);
  assert_true(video.recording_ended_at > kStarted && !video.recording_times.empty());
  const std::string source = f.path('a') + "/source.mp4";
  assert_int_equal(video.origin_size, f.files.read(source).size());
  assert_true(video.duration_ms >= 8000 && video.width > 0 && video.height > 0);
  const auto stream = test::must(f.rows->stream(video.stream_id));
  assert_true(stream.app == "live" && stream.name == "cam");
  const auto renditions = test::must(f.rows->renditions({slug('a')}));
  assert_int_equal(renditions.size(), 1);
  const catalog::RenditionRow& made = renditions[0];
  assert_true(made.name == "480p" && made.status == "complete" && made.progress == 100);
  assert_true(made.size == video.origin_size && made.duration_ms == video.duration_ms &&
              made.video_bps == 1'000'000);
  // The job makes what is missing, and what is there not again.
  const auto lease = test::must(f.rows->lease_job("me", kStarted * 2, kStarted * 2 + 1)).value();
  assert_string_equal(lease.video.slug.c_str(), slug('a').c_str());
  assert_true(test::must(f.rows->begin_job(lease.id, {made})).empty());
}

void what_is_known_stays_as_it_is(void**) {
  Fixture f;
  f.save(identity('a', 1), "source.mp4");
  f.save(identity('b', 2), "source.mp4");
  f.save(identity('c', 3), "source.mp4");
  VideoRow known = test::video_row(1, slug('a'));
  known.name = "mine";
  test::must(f.rows->put_video(known));
  test::must(f.rows->put_video(test::video_row(2, slug('b'))));
  (void)test::must(f.rows->delete_video(2, {}));
  const worker::Rebuilt once = f.rebuild();
  assert_true(once.put == 1 && once.known == 2 && once.unreadable == 0);
  const worker::Rebuilt twice = f.rebuild();
  assert_true(twice.put == 0 && twice.known == 3);
  assert_string_equal(f.video('a').name.c_str(), "mine");
  assert_true(f.rows->video_by_slug(slug('b')).error().code == Errc::kNotFound);
  assert_int_equal(f.video('c').id, 3);
}

void ids_are_those_of_the_files_and_new_ones_come_behind(void**) {
  Fixture f;
  f.save(identity('a', 0), "source.mp4");  // recorded while there was no catalogue
  f.save(identity('b', 1), "source.mp4");
  f.save(identity('c', 900), "source.mp4");
  assert_int_equal(f.rebuild().put, 3);
  assert_true(f.video('b').id == 1 && f.video('c').id == 900 && f.video('a').id > 900);
  assert_true(test::must(f.rows->lease_video_ids(1)).first > 900);
}

void parts_of_a_divided_recording_know_which_is_the_last(void**) {
  Fixture f;
  f.save(identity('a', 1, 1), "source.mp4");
  f.save(identity('b', 2, 2), "source.mp4");
  f.save(identity('c', 3, 3), "source.mp4");
  (void)f.rebuild();
  assert_true(!f.video('a').last_sequence && !f.video('b').last_sequence &&
              f.video('c').last_sequence);
}

void what_cannot_be_read_is_told_and_holds_up_nothing(void**) {
  Fixture f;
  f.files.put(f.path('a') + "/source.mp4", Bytes(100, 1));
  f.save(identity('b', 1), "source.mp4", false);
  test::must(f.files.make_directories(f.path('c')));
  f.files.put("/videos/live/README", Bytes(10, 1));
  f.save(identity('d', 2), "source.mp4");
  const worker::Rebuilt done = f.rebuild();
  assert_true(done.put == 1 && done.unreadable == 2);
  assert_true(f.log.count(slug('a')) == 1 && f.log.count("it is not finished") == 1);
  assert_true(f.rows->video_by_slug(slug('b')).error().code == Errc::kNotFound);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_video_is_as_its_file_tells),
      cmocka_unit_test(what_is_known_stays_as_it_is),
      cmocka_unit_test(ids_are_those_of_the_files_and_new_ones_come_behind),
      cmocka_unit_test(parts_of_a_divided_recording_know_which_is_the_last),
      cmocka_unit_test(what_cannot_be_read_is_told_and_holds_up_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
