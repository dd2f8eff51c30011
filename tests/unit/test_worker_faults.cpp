// Faults of the machine while jobs are done: no recording is given up for them.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/forwarding_files.hpp"
#include "test_worker_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using test::JobFixture;

constexpr std::int64_t kHourMs = 3'600'000;

// A disk that is full for days, then has room again.
void no_fault_of_the_machine_uses_up_a_try(void**) {
  for (const Errc code : {Errc::kNoSpace, Errc::kIo, Errc::kUnavailable}) {
    JobFixture f;
    f.processor.during = [code](const test::Order&, test::Observer&) {
      return Result<test::Outcome>(Error{code, "the disk is full"});
    };
    std::int64_t later = 1;
    for (int i = 0; i < 60; ++i, later += kHourMs + 1000) {
      const auto due = f.lease(later);
      assert_true(due.has_value());
      assert_int_equal(due->failures, 0);
      f.run(*due);
    }
    assert_true(f.video().error.empty() && f.told().empty());
    assert_string_equal(f.renditions().at(0).status.c_str(), "processing");
    assert_string_equal(f.renditions().at(0).error.c_str(), "the disk is full");
    assert_int_equal(f.log.count("it is given up"), 0);
    f.processor.during = nullptr;
    f.run(f.lease(later).value());
    assert_string_equal(f.video().status.c_str(), "ready");
  }
}

void it_is_tried_less_and_less_often_up_to_once_an_hour(void**) {
  JobFixture f;
  f.processor.during = [](const test::Order&, test::Observer&) {
    return Result<test::Outcome>(Error{Errc::kNoSpace, "the disk is full"});
  };
  std::int64_t later = 1;
  for (const std::int64_t pause : {10'000, 60'000, 600'000, 3'600'000, 3'600'000, 3'600'000}) {
    f.run(f.lease(later).value());
    assert_false(f.lease(later + pause - 2000).has_value());
    later += pause + 2000;
  }
}

// What the recording is at fault for is counted as before, whatever the machine did in between.
void failures_of_the_recording_are_counted(void**) {
  JobFixture f;
  Errc code = Errc::kInternal;
  f.processor.during = [&code](const test::Order&, test::Observer&) {
    return Result<test::Outcome>(Error{code, "no luck"});
  };
  std::int64_t later = 1;
  for (std::int64_t failures = 0; failures < worker::kMostFailures; ++failures) {
    for (const Errc next : {Errc::kNoSpace, Errc::kInternal}) {
      code = next;
      const auto due = f.lease(later += 2 * kHourMs);
      assert_true(due.has_value());
      assert_int_equal(due->failures, failures);
      f.run(*due);
    }
  }
  assert_true(test::has(f.video().error, "no luck"));
  assert_false(f.lease(later + 2 * kHourMs).has_value());
}

// As a job fills the disk that recordings go to.
void a_job_gives_way_when_min_free_is_passed(void**) {
  JobFixture f;
  bool before = true, after = false;
  f.processor.during = [&](const test::Order&, test::Observer& observer) {
    f.clock.advance(10'000);
    before = observer.cancelled();
    f.config.min_free_bytes = test::kMuch;
    f.clock.advance(10'000);
    after = observer.cancelled();
    return Result<test::Outcome>(Error{Errc::kUnavailable, "cancelled"});
  };
  f.run();
  assert_true(!before && after);
  f.assert_no_work_is_left();
  assert_true(test::has(f.renditions().at(0).error, "min_free"));
  const auto again = f.lease(kHourMs);
  assert_true(again && again->failures == 0 && again->deaths == 0);
}

// The real file system, with something that happens when a file is renamed.
class WatchedDisk final : public test::ForwardingFiles {
 public:
  WatchedDisk(storage::FileSystem& files, std::function<Status()> on_rename)
      : ForwardingFiles(files), on_rename_(std::move(on_rename)) {}
  Status rename(const std::string& from, const std::string& to) override {
    RECORDING_TRY(on_rename_());
    return ForwardingFiles::rename(from, to);
  }

 private:
  const std::function<Status()> on_rename_;
};

// A disk may take minutes to remove and rename large files.
void others_write_to_the_catalogue_while_files_are_moved(void**) {
  JobFixture f;
  auto others = test::open_catalog(f.folder);
  int written = 0;
  WatchedDisk disk(f.files, [&]() -> Status {
    auto stream = others->ensure_stream("live", "cam" + std::to_string(++written));
    return stream ? ok() : Status(std::move(stream).error());
  });
  f.disk = &disk;
  f.run();
  assert_int_equal(written, 4);
  assert_string_equal(f.video().status.c_str(), "ready");
}

void what_cannot_be_moved_is_made_again(void**) {
  JobFixture f;
  int left = 2;
  WatchedDisk disk(f.files, [&]() -> Status {
    return --left == 0 ? Status(Error{Errc::kIo, "disk broken"}) : ok();
  });
  f.disk = &disk;
  f.run();
  assert_string_equal(f.video().status.c_str(), "viewable");
  assert_string_equal(f.renditions().at(0).status.c_str(), "processing");
  assert_true(!f.video().pictures.poster && f.names(worker::work_folder(f.config)).empty());
  const auto again = f.lease(kHourMs);
  assert_true(again && again->failures == 0 && again->deaths == 0);
  f.run(*again);
  assert_string_equal(f.video().status.c_str(), "ready");
  assert_int_equal(f.names(f.video_folder).size(), 5);
}

void a_video_that_is_deleted_while_its_files_are_moved_is_gone(void**) {
  JobFixture f;
  auto others = test::open_catalog(f.folder);
  WatchedDisk disk(f.files, [&] {
    (void)others->delete_video(1, {});
    return worker::remove_tree(f.video_folder);
  });
  f.disk = &disk;
  f.run();
  assert_false(bool(f.rows->video(1)));
  assert_true(f.names(f.video_folder).empty() && f.told().empty());
  assert_int_equal(f.log.count("video 1"), 0);
  assert_true(f.names(worker::work_folder(f.config)).empty());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(no_fault_of_the_machine_uses_up_a_try),
      cmocka_unit_test(it_is_tried_less_and_less_often_up_to_once_an_hour),
      cmocka_unit_test(failures_of_the_recording_are_counted),
      cmocka_unit_test(a_job_gives_way_when_min_free_is_passed),
      cmocka_unit_test(others_write_to_the_catalogue_while_files_are_moved),
      cmocka_unit_test(what_cannot_be_moved_is_made_again),
      cmocka_unit_test(a_video_that_is_deleted_while_its_files_are_moved_is_gone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
