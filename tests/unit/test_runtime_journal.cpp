#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstring>
#include <deque>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "runtime/file_lock.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_extent.hpp"
#include "test_runtime_support.hpp"
#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::runtime;
using test::TempDirectory;

// A pool whose jobs run when the test says so.
class ManualExecutor final : public Executor {
 public:
  bool post(std::unique_ptr<Job> job) noexcept override {
    if (refuses) {
      return false;
    }
    jobs.push_back(std::move(job));
    return true;
  }
  // How many there were, with those posted meanwhile.
  int run() {
    int count = 0;
    for (; !jobs.empty(); ++count) {
      std::unique_ptr<Job> job = std::move(jobs.front());
      jobs.pop_front();
      job->run();
      job->done();
    }
    return count;
  }
  std::deque<std::unique_ptr<Job>> jobs;
  bool refuses = false;
};

std::unique_ptr<Journal> open_journal(const std::string& directory, Executor& executor,
                                      unsigned percent = 50) {
  auto journal = Journal::open(directory, percent, executor);
  if (!journal) {
    fail_msg("%s", journal.error().message.c_str());
  }
  return std::move(journal).value();
}

void fill(const Segment& segment, std::uint32_t size, std::uint8_t first) {
  std::iota(segment.data, segment.data + size, first);
  segment.header->committed.store(size, std::memory_order_release);
}

bool is_filled(const Bytes& data, std::size_t size, std::uint8_t first) {
  Bytes expected(size);
  std::iota(expected.begin(), expected.end(), first);
  return data == expected;
}

std::vector<LeftSegment> read_left(const std::string& directory, std::uint64_t session) {
  auto left = read_left_segments(directory, session);
  return left ? std::move(left).value() : std::vector<LeftSegment>();
}

void test_first_extent_is_reserved_at_once(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  assert_int_equal(journal->reserved_segments(), 16);
  assert_int_equal(journal->free_segments(), 16);
  auto files = test::list(directory.path(), "journal.");
  assert_int_equal(files.size(), 1);
  struct stat info = {};
  assert_int_equal(::stat(directory.file(files[0]).c_str(), &info), 0);
  assert_true(info.st_blocks * 512 >= 16 * static_cast<blkcnt_t>(kSegmentSize));
  assert_int_equal(info.st_mode & 0777, 0600);
}

void test_segments_are_handed_out_last_in_first_out(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  Segment first = journal->acquire(7, 0);
  Segment second = journal->acquire(7, 1);
  assert_true(first.shared);
  assert_ptr_not_equal(first.data, second.data);
  assert_ptr_equal(first.data, reinterpret_cast<std::uint8_t*>(first.header) + kSegmentHeaderSize);
  assert_int_equal(second.header->session, 7);
  assert_int_equal(second.header->number, 1);
  fill(second, 10, 0);
  journal->release(second);
  journal->release(second);  // once too often
  assert_int_equal(journal->free_segments(), 15);
  Segment third = journal->acquire(8, 5);
  assert_ptr_equal(third.header, second.header);
  assert_int_equal(third.header->session, 8);
  assert_int_equal(third.header->number, 5);
  assert_int_equal(third.header->committed.load(), 0);
  Segment mine;  // private memory is none of the journal's business
  SegmentHeader header = {};
  header.session = 9;
  mine.header = &header;
  journal->release(mine);
  assert_int_equal(journal->free_segments(), 14);
}

void test_more_is_reserved_before_it_is_needed(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  std::vector<Segment> held;
  int without = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    held.push_back(journal->acquire(1, i));
    without += held.back().data == nullptr;
    if (i % 3 == 2) {
      executor.run();
    }
  }
  assert_int_equal(without, 0);
  assert_true(journal->reserved_segments() >= 200);
  assert_true(journal->reserved_segments() < 300);
  // All of them different, all of them read back.
  assert_int_equal(read_left(directory.path(), 1).size(), 200);
}

void test_nothing_reserved_is_no_segment(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  for (std::uint64_t i = 0; i < 16; ++i) {
    assert_non_null(journal->acquire(1, i).data);
  }
  Segment none = journal->acquire(1, 16);
  assert_null(none.data);
  assert_false(none.shared);
  journal->release(none);
  assert_int_equal(executor.jobs.size(), 1);  // asked once, not at each message
  executor.run();
  assert_non_null(journal->acquire(1, 16).data);
}

void test_full_pool_is_asked_again_later_only(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  executor.refuses = true;
  auto journal = open_journal(directory.path(), executor);
  for (std::uint64_t i = 0; i < 14; ++i) {
    (void)journal->acquire(1, i);
  }
  executor.refuses = false;
  (void)journal->acquire(1, 14);
  assert_int_equal(executor.jobs.size(), 0);
}

// --- what survives

void test_committed_bytes_survive_a_kill(void**) {
  TempDirectory directory;
  int result = test::wait_for(test::spawn([&] {
    ManualExecutor executor;
    auto journal = Journal::open(directory.path(), 50, executor);
    // Out of order, two sessions, one segment given back, one torn, one full to the last byte.
    Segment second = journal.value()->acquire(42, 1);
    Segment other = journal.value()->acquire(43, 0);
    Segment first = journal.value()->acquire(42, 0);
    Segment gone = journal.value()->acquire(42, 7);
    Segment full = journal.value()->acquire(42, 2);
    fill(first, 1000, 1);
    fill(second, 77, 2);
    std::memset(second.data + 77, 0xee, 5000);  // copied, but not committed
    fill(other, 10, 3);
    fill(gone, 10, 4);
    fill(full, kSegmentData, 5);
    journal.value()->release(gone);
    test::die();
    return 0;
  }));
  assert_int_equal(result, -SIGKILL);
  auto left = read_left(directory.path(), 42);
  assert_int_equal(left.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    assert_int_equal(left[i].number, i);
  }
  assert_true(is_filled(left[0].data, 1000, 1));
  assert_true(is_filled(left[1].data, 77, 2));
  assert_true(is_filled(left[2].data, kSegmentData, 5));
  assert_true(is_filled(read_left(directory.path(), 43).at(0).data, 10, 3));
  assert_int_equal(read_left(directory.path(), 44).size(), 0);
  assert_int_equal(read_left(directory.path(), 0).size(), 0);
}

// Killed at any instruction of release() and acquire(), the segment is the old session's with all
// its bytes, or nobody's, or the new session's and empty.
void test_segment_never_changes_hands_by_halves(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  Segment segment = journal->acquire(1, 3);
  fill(segment, 100, 1);
  test::Stepper stepper;
  if (!stepper.start([&] {
        journal->release(segment);
        (void)journal->acquire(2, 9);
      })) {
    stepper.kill();
    skip();
  }
  int states[3] = {};
  int bad = 0;
  do {
    auto before = read_left(directory.path(), 1);
    auto after = read_left(directory.path(), 2);
    if (before.size() == 1 && after.empty()) {
      bad += before[0].number != 3 || !is_filled(before[0].data, 100, 1);
      ++states[0];
    } else if (before.empty() && after.size() == 1) {
      bad += after[0].number != 9 || !after[0].data.empty();
      ++states[2];
    } else {
      bad += !before.empty() || !after.empty();
      ++states[1];
    }
  } while (stepper.step());
  stepper.kill();
  assert_int_equal(bad, 0);
  assert_true(states[0] > 0 && states[1] > 0 && states[2] > 0);
}

void test_end_of_the_process_leaves_what_is_in_use(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  fill(journal->acquire(42, 0), 100, 9);
  assert_true(is_filled(read_left(directory.path(), 42).at(0).data, 100, 9));  // of a living one
  journal.reset();
  assert_true(is_filled(read_left(directory.path(), 42).at(0).data, 100, 9));

  TempDirectory unused;
  open_journal(unused.path(), executor).reset();
  assert_int_equal(test::list(unused.path(), "journal.").size(), 0);
}

void test_foreign_and_damaged_files_are_passed_over(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  fill(journal->acquire(42, 0), 100, 1);
  Segment damaged = journal->acquire(42, 1);
  damaged.header->committed.store(kSegmentData + 1);
  fill(journal->acquire(42, 2), 100, 2);
  journal.reset();
  std::string file = directory.file(test::list(directory.path(), "journal.").at(0));
  // In the third segment's data: only whole segments count.
  assert_int_equal(::truncate(file.c_str(), 2 * kSegmentSize + 100), 0);
  for (const char* name : {"journal.1.0", "journal.x.1", "journal.1", "journal.1.2.old"}) {
    std::ofstream(directory.file(name)) << "not a journal";
  }
  assert_int_equal(::symlink(file.c_str(), directory.file("journal.2.0").c_str()), 0);
  assert_int_equal(::mkfifo(directory.file("journal.3.0").c_str(), 0600), 0);
  auto left = read_left(directory.path(), 42);
  assert_int_equal(left.size(), 1);
  assert_int_equal(left[0].number, 0);
  assert_false(bool(read_left_segments(directory.file("missing"), 42)));
}

void test_left_segments_are_given_back(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto dead = open_journal(directory.path(), executor);
  fill(dead->acquire(1, 0), 100, 1);
  fill(dead->acquire(2, 0), 100, 2);
  dead.reset();
  auto living = open_journal(directory.path(), executor);
  Segment used = living->acquire(1, 1);
  fill(used, 100, 3);
  assert_int_equal(test::list(directory.path(), "journal.").size(), 2);

  assert_true(bool(release_left_segments(directory.path(), 1)));
  auto left = read_left(directory.path(), 1);  // only what its living worker will release itself
  assert_int_equal(left.size(), 1);
  assert_true(is_filled(left[0].data, 100, 3));
  assert_int_equal(used.header->session, 1);
  assert_true(is_filled(read_left(directory.path(), 2).at(0).data, 100, 2));

  const std::uint64_t keep[] = {2, 5};
  assert_true(bool(remove_dead_journals(directory.path(), keep)));
  assert_int_equal(read_left(directory.path(), 2).size(), 1);
  assert_true(bool(remove_dead_journals(directory.path(), {})));
  assert_int_equal(read_left(directory.path(), 2).size(), 0);
  assert_int_equal(read_left(directory.path(), 1).size(), 1);  // held, so not removed
  assert_int_equal(test::list(directory.path(), "journal.").size(), 1);
}

void test_journal_of_another_living_process_is_not_removed(void**) {
  TempDirectory directory;
  test::Signal ready;
  pid_t pid = test::spawn([&] {
    ManualExecutor executor;
    auto journal = Journal::open(directory.path(), 50, executor);
    fill(journal.value()->acquire(1, 0), 100, 1);
    ready.raise();
    for (;;) {
      ::pause();
    }
    return 0;
  });
  bool came = ready.wait();
  Status released = release_left_segments(directory.path(), 1);
  Status removed = remove_dead_journals(directory.path(), {});
  std::size_t while_alive = read_left(directory.path(), 1).size();
  ::kill(pid, SIGKILL);
  test::wait_for(pid);
  std::size_t after = read_left(directory.path(), 1).size();
  Status removed_after = remove_dead_journals(directory.path(), {});
  assert_true(came && bool(released) && bool(removed) && bool(removed_after));
  assert_int_equal(while_alive, 1);
  assert_int_equal(after, 1);
  assert_int_equal(test::list(directory.path(), "journal.").size(), 0);
}

// --- room

void test_burst_is_given_back_after_a_while(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  std::vector<Segment> held;
  for (std::uint64_t i = 0; i < 200; ++i) {
    held.push_back(journal->acquire(1, i));
    executor.run();
  }
  std::size_t peak = journal->reserved_segments();
  journal->tick(1000);
  journal->tick(100000);
  assert_int_equal(journal->reserved_segments(), peak);  // all of it in use
  while (held.size() > 8) {                              // the oldest goes on
    journal->release(held.back());
    held.pop_back();
  }
  journal->tick(200000);
  journal->tick(209000);
  assert_int_equal(executor.run(), 0);
  assert_int_equal(journal->reserved_segments(), peak);
  std::int64_t now = 210000;
  for (int i = 0; i < 50; ++i) {
    journal->tick(now += 1000);
    assert_true(executor.run() <= 1);
  }
  assert_true(journal->reserved_segments() < peak / 4);
  assert_true(journal->free_segments() >= 16);
  // The tmpfs has it back, and what is in use is as it was.
  std::uint64_t allocated = 0;
  (void)for_each_journal_file(directory.path(), O_RDONLY,
                              [&](JournalFile& file) { allocated += file.allocated_bytes; });
  assert_int_equal(allocated, journal->reserved_segments() * kSegmentSize);
  assert_int_equal(read_left(directory.path(), 1).size(), 8);
}

void test_extent_that_comes_too_late_is_removed(void**) {
  TempDirectory directory;
  ManualExecutor executor;
  auto journal = open_journal(directory.path(), executor);
  for (std::uint64_t i = 0; i < 14; ++i) {
    (void)journal->acquire(1, i);
  }
  assert_int_equal(executor.jobs.size(), 1);
  executor.jobs.front()->run();
  assert_int_equal(test::list(directory.path(), "journal.").size(), 2);
  journal.reset();
  executor.jobs.front()->done();
  executor.jobs.clear();
  assert_int_equal(test::list(directory.path(), "journal.").size(), 1);
}

// Runs `work` with a tmpfs of 16 MiB of its own on `mount_point`; 77: not allowed here.
template <class Work>
int on_small_tmpfs(const std::string& mount_point, Work work) {
  return test::wait_for(test::spawn([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=16m") != 0) {
      return 77;
    }
    return work();
  }));
}

std::uint64_t allocated_in(const std::string& directory) {
  std::uint64_t sum = 0;
  (void)for_each_journal_file(directory, O_RDONLY,
                              [&](JournalFile& file) { sum += file.allocated_bytes; });
  return sum;
}

void test_journals_of_all_workers_keep_within_the_budget(void**) {
  TempDirectory directory;
  int result = on_small_tmpfs(directory.path(), [&] {
    constexpr std::uint64_t kBudget = (16 << 20) / 2;
    ManualExecutor executor;
    auto first = Journal::open(directory.path(), 50, executor);
    auto second = Journal::open(directory.path(), 50, executor);
    auto third = Journal::open(directory.path(), 50, executor);
    if (!first || !second || !third) {
      return 1;
    }
    if (allocated_in(directory.path()) > kBudget) {
      return 2;
    }
    if (third.value()->reserved_segments() != 0 || third.value()->acquire(3, 0).data != nullptr) {
      return 3;  // opened, but there was nothing left for it
    }
    std::size_t got = 0;
    for (std::uint64_t i = 0; i < 100; ++i) {
      got += first.value()->acquire(1, i).data != nullptr;
      executor.run();
    }
    if (allocated_in(directory.path()) > kBudget || got != first.value()->reserved_segments()) {
      return 4;
    }
    // Room that another gives back is had.
    second.value().reset();
    auto fourth = Journal::open(directory.path(), 50, executor);
    return fourth && fourth.value()->reserved_segments() >= kMinExtentSegments ? 0 : 5;
  });
  if (result == 77) {
    skip();
  }
  assert_int_equal(result, 0);
}

void test_full_tmpfs_is_no_segment_and_no_sigbus(void**) {
  TempDirectory directory;
  int result = on_small_tmpfs(directory.path(), [&] {
    ManualExecutor executor;
    auto journal = Journal::open(directory.path(), 100, executor);
    int filler = ::open(directory.file("filler").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct statvfs info = {};
    if (!journal || ::statvfs(directory.path().c_str(), &info) != 0 ||
        ::posix_fallocate(filler, 0, static_cast<off_t>(info.f_bavail * info.f_frsize)) != 0) {
      return 1;
    }
    std::size_t got = 0;
    for (std::uint64_t i = 0; i < 100; ++i) {
      Segment segment = journal.value()->acquire(1, i);
      if (segment.data != nullptr) {
        std::memset(segment.data, 0xff, kSegmentData);
        segment.header->committed.store(kSegmentData);
        ++got;
      }
      executor.run();
    }
    if (got != 16 || read_left(directory.path(), 1).size() != 16) {
      return 2;
    }
    if (test::list(directory.path(), "journal.").size() != 1) {
      return 3;  // no half-made file stays
    }
    // A new worker on the full tmpfs: it starts, and records without a journal.
    auto late = Journal::open(directory.path(), 100, executor);
    return late && late.value()->reserved_segments() == 0 ? 0 : 4;
  });
  if (result == 77) {
    skip();
  }
  assert_int_equal(result, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_first_extent_is_reserved_at_once),
      cmocka_unit_test(test_segments_are_handed_out_last_in_first_out),
      cmocka_unit_test(test_more_is_reserved_before_it_is_needed),
      cmocka_unit_test(test_nothing_reserved_is_no_segment),
      cmocka_unit_test(test_full_pool_is_asked_again_later_only),
      cmocka_unit_test(test_committed_bytes_survive_a_kill),
      cmocka_unit_test(test_segment_never_changes_hands_by_halves),
      cmocka_unit_test(test_end_of_the_process_leaves_what_is_in_use),
      cmocka_unit_test(test_foreign_and_damaged_files_are_passed_over),
      cmocka_unit_test(test_left_segments_are_given_back),
      cmocka_unit_test(test_journal_of_another_living_process_is_not_removed),
      cmocka_unit_test(test_burst_is_given_back_after_a_while),
      cmocka_unit_test(test_extent_that_comes_too_late_is_removed),
      cmocka_unit_test(test_journals_of_all_workers_keep_within_the_budget),
      cmocka_unit_test(test_full_tmpfs_is_no_segment_and_no_sigbus),
  };
  return cmocka_run_group_tests_name("runtime_journal", tests, nullptr, nullptr);
}
