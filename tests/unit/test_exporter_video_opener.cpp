#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include "exporter/video_opener.hpp"
#include "support/fake_clock.hpp"
#include "support/inline_executor.hpp"
#include "test_catalog_support.hpp"
#include "test_exporter_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using exporter::ServedVideo;
using exporter::VideoBytes;
using exporter::VideoOpener;
using test::kOtherSlug;
using test::kSlug;
using test::QueuedExecutor;
using test::RecordingsFolder;
using test::TestRecording;
using VideoResult = Result<std::shared_ptr<const ServedVideo>>;

// A worker's world: live state, catalogue, spool and storage, all real but in one folder.
struct World {
  explicit World(bool catalog_away = false) {
    auto opened = runtime::LiveState::open(folder.path(), 1 << 20);
    state = opened ? std::move(opened).value() : nullptr;
    service.emplace(
        catalog_threads,
        [this, catalog_away](bool writer) -> Result<std::unique_ptr<catalog::Catalog>> {
          if (catalog_away) {
            return Error{Errc::kUnavailable, "away"};
          }
          return catalog::open_sqlite_catalog(folder.path("catalog.db"), writer);
        },
        1);
    service->open();
    catalog_threads.drain();
    opener.emplace(VideoOpener::Ports{*state, *service, io_threads, clock},
                   exporter::VideoFolders{folder.path("spool"), folder.path("storage")});
  }

  std::string spool_path() const { return folder.path("spool/" + kSlug + "/source.mp4"); }

  void put_row(const std::string& path, const std::string& status = "viewable") {
    catalog::VideoRow row = test::video_row(1, kSlug);
    row.path = path;
    row.status = status;
    row.name = "The name";
    service->write([row](catalog::Catalog& rows) { return rows.put_video(row); },
                   [](const Status&) {});
    catalog_threads.drain();
  }

  // What the live state knows of the recording `kSlug`.
  bool set_live(std::uint64_t committed) {
    auto transaction = state->begin();
    if (!transaction) {
      return false;
    }
    auto stream = transaction.value().ensure_stream("live", "cam/1");
    auto recording = transaction.value().add_recording();
    if (!stream || !recording) {
      return false;
    }
    index = recording.value();
    runtime::RecordingRecord& record = transaction.value().edit_recording(index);
    record.slug.assign(kSlug);
    record.stream = stream.value();
    record.started_wall_ms = 1'800'000'000'000;  // 2027-01-15
    record.committed_bytes.set(static_cast<std::int64_t>(committed));
    return true;
  }
  void clear_live() {
    if (auto transaction = state->begin()) {
      transaction.value().remove_recording(index);
    }
  }

  void start(VideoBytes bytes = VideoBytes::kMovie, const std::string& slug = kSlug) {
    opener->open(slug, bytes, [this](VideoResult result) {
      ++answers;
      answer.emplace(std::move(result));
    });
  }
  void drain() {
    while (io_threads.drain() + catalog_threads.drain() > 0) {
    }
  }
  // nullptr: an error.
  std::shared_ptr<const ServedVideo> open(VideoBytes bytes = VideoBytes::kMovie) {
    answers = 0;
    start(bytes);
    drain();
    return answers == 1 && *answer ? answer->value() : nullptr;
  }
  int error() { return answer && !*answer ? static_cast<int>(answer->error().code) : 0; }

  RecordingsFolder folder;
  QueuedExecutor io_threads, catalog_threads;
  test::FakeClock clock;
  std::unique_ptr<runtime::LiveState> state;
  std::optional<catalog::CatalogService> service;
  std::optional<VideoOpener> opener;
  std::optional<VideoResult> answer;
  std::int32_t index = runtime::kNone;
  int answers = 0;
};

void a_recording_in_progress_is_found_without_the_catalogue(void**) {
  World world(true);
  TestRecording recording(world.spool_path());
  assert_true(recording.append(10));
  assert_true(world.set_live(recording.length()));
  const auto video = world.open();
  assert_non_null(video.get());
  assert_false(video->finished());
  assert_int_equal(video->length(), recording.length());
}

void a_finished_video_is_found_by_its_row(void**) {
  World world;
  TestRecording recording(world.folder.path("storage/live/cam/day/x/source.mp4"));
  assert_true(recording.append(10) && recording.finish());
  world.put_row("live/cam/day/x");
  const auto video = world.open();
  assert_non_null(video.get());
  assert_true(video->finished());
}

void a_row_without_a_path_means_the_spool(void**) {
  World world;
  TestRecording recording(world.spool_path());
  assert_true(recording.append(10) && recording.finish());
  world.put_row("");
  assert_non_null(world.open().get());
}

// Finished and moved by its worker; its record still there, its row not yet.
void a_video_is_found_between_being_moved_and_being_catalogued(void**) {
  World world;
  TestRecording recording(
      world.folder.path("storage/live/cam%2F1/2027-01-15/" + kSlug + "/source.mp4"));
  assert_true(recording.append(10) && recording.finish());
  assert_true(world.set_live(recording.length()));
  const auto video = world.open();
  assert_non_null(video.get());
  assert_true(video->finished());
}

void a_file_that_moves_while_it_is_looked_for_is_found(void**) {
  World world;
  TestRecording recording(world.spool_path());
  assert_true(recording.append(10) && recording.finish());
  world.put_row("");
  world.start();
  assert_true(world.catalog_threads.drain() == 1);  // the row said: in the spool
  const std::string moved = world.folder.path("storage/a/b/source.mp4");
  std::filesystem::create_directories(world.folder.path("storage/a/b"));
  assert_int_equal(::rename(world.spool_path().c_str(), moved.c_str()), 0);
  world.put_row("a/b");
  world.drain();
  assert_int_equal(world.answers, 1);
  assert_true(static_cast<bool>(*world.answer));
}

void what_does_not_exist_is_not_found(void**) {
  World world;
  assert_null(world.open().get());  // no row
  assert_int_equal(world.error(), Errc::kNotFound);
  world.put_row("gone");  // no file
  assert_null(world.open().get());
  assert_int_equal(world.error(), Errc::kNotFound);
  TestRecording recording(world.folder.path("storage/kept/source.mp4"));
  assert_true(recording.append(10) && recording.finish());
  world.put_row("kept", "error");
  assert_null(world.open().get());
  assert_int_equal(world.error(), Errc::kNotFound);
}

void a_row_cannot_lead_out_of_the_storage(void**) {
  World world;
  TestRecording recording(world.folder.path("elsewhere/source.mp4"));
  assert_true(recording.append(10) && recording.finish());
  std::filesystem::create_directories(world.folder.path("storage"));
  const std::string paths[] = {"../elsewhere", "x/../../elsewhere", "./../elsewhere",
                               world.folder.path("elsewhere")};
  for (const std::string& path : paths) {
    world.put_row(path);
    assert_null(world.open().get());
    assert_int_equal(world.error(), Errc::kCorrupt);
  }
}

void no_answer_is_invented_while_the_catalogue_is_away(void**) {
  World world(true);
  assert_null(world.open().get());
  assert_int_equal(world.error(), Errc::kUnavailable);
}

void a_full_pool_is_told(void**) {
  World world;
  TestRecording recording(world.spool_path());
  assert_true(recording.append(10));
  assert_true(world.set_live(recording.length()));
  world.io_threads.set_capacity(0);
  assert_null(world.open().get());
  assert_int_equal(world.error(), Errc::kUnavailable);
}

void the_next_request_for_a_finished_video_waits_for_nothing(void**) {
  World world;
  TestRecording recording(world.folder.path("storage/x/source.mp4"));
  assert_true(recording.append(10) && recording.finish());
  world.put_row("x");
  const auto first = world.open();
  assert_non_null(first.get());
  world.answers = 0;
  world.start();
  assert_int_equal(world.answers, 1);
  assert_int_equal(world.io_threads.waiting() + world.catalog_threads.waiting(), 0);
  assert_ptr_equal(world.answer->value().get(), first.get());
}

void a_deleted_video_is_gone_although_it_was_open(void**) {
  World world;
  const std::string path = world.folder.path("storage/x/source.mp4");
  TestRecording recording(path);
  assert_true(recording.append(10) && recording.finish());
  world.put_row("x");
  assert_non_null(world.open().get());
  assert_int_equal(::unlink(path.c_str()), 0);
  assert_null(world.open().get());
  assert_int_equal(world.error(), Errc::kNotFound);
}

void idle_files_are_closed(void**) {
  World world;
  TestRecording recording(world.folder.path("storage/x/source.mp4"));
  assert_true(recording.append(10) && recording.finish());
  world.put_row("x");
  assert_non_null(world.open().get());
  world.opener->sweep();
  assert_false(world.opener->idle());
  world.clock.advance(60'000);
  world.opener->sweep();
  assert_true(world.opener->idle());
}

// That is when the blocks of a removed file are given back.
void the_last_descriptor_is_closed_in_a_pool_thread(void**) {
  World world;
  TestRecording recording(world.folder.path("storage/x/source.mp4"));
  assert_true(recording.append(10) && recording.finish());
  world.put_row("x");
  auto video = world.open();
  assert_non_null(video.get());
  const int descriptor = video->descriptor();
  world.clock.advance(60'000);
  world.opener->sweep();
  world.answer.reset();
  video.reset();
  assert_true(::fcntl(descriptor, F_GETFD) != -1);
  world.drain();
  assert_int_equal(::fcntl(descriptor, F_GETFD), -1);
}

void each_growing_request_sees_what_is_committed_then(void**) {
  World world;
  TestRecording recording(world.spool_path());
  assert_true(recording.append(10));
  assert_true(world.set_live(recording.length()));
  const auto first = world.open();
  assert_true(recording.append(10));
  world.state->recording_gauges(world.index)
      ->committed_bytes.set(static_cast<std::int64_t>(recording.length()));
  const auto second = world.open();
  assert_true(first != nullptr && second != nullptr);
  assert_true(first->length() < second->length());
  assert_true(recording.finish());
  const auto third = world.open();
  assert_true(third != nullptr && third->finished());
}

void nothing_is_touched_after_the_opener_is_gone(void**) {
  World world;
  TestRecording recording(world.spool_path());
  assert_true(recording.append(10));
  assert_true(world.set_live(recording.length()));
  world.start();
  world.start(VideoBytes::kMovie, kOtherSlug);
  world.opener.reset();
  world.drain();
  assert_int_equal(world.answers, 0);
}

void the_name_is_the_catalogues(void**) {
  World world;
  world.put_row("x");
  std::string known, unknown;
  world.opener->find_name(kSlug, [&](std::string name) { known = std::move(name); });
  world.opener->find_name(kOtherSlug, [&](std::string name) { unknown = std::move(name); });
  world.drain();
  assert_string_equal(known.c_str(), "The name");
  assert_string_equal(unknown.c_str(), kOtherSlug.c_str());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_recording_in_progress_is_found_without_the_catalogue),
      cmocka_unit_test(a_finished_video_is_found_by_its_row),
      cmocka_unit_test(a_row_without_a_path_means_the_spool),
      cmocka_unit_test(a_video_is_found_between_being_moved_and_being_catalogued),
      cmocka_unit_test(a_file_that_moves_while_it_is_looked_for_is_found),
      cmocka_unit_test(what_does_not_exist_is_not_found),
      cmocka_unit_test(a_row_cannot_lead_out_of_the_storage),
      cmocka_unit_test(no_answer_is_invented_while_the_catalogue_is_away),
      cmocka_unit_test(a_full_pool_is_told),
      cmocka_unit_test(the_next_request_for_a_finished_video_waits_for_nothing),
      cmocka_unit_test(a_deleted_video_is_gone_although_it_was_open),
      cmocka_unit_test(idle_files_are_closed),
      cmocka_unit_test(the_last_descriptor_is_closed_in_a_pool_thread),
      cmocka_unit_test(each_growing_request_sees_what_is_committed_then),
      cmocka_unit_test(nothing_is_touched_after_the_opener_is_gone),
      cmocka_unit_test(the_name_is_the_catalogues),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
