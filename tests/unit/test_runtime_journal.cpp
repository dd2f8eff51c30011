#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime/file_lock.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_extent.hpp"
#include "test_runtime_journal_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::runtime;
using namespace recording::runtime::test_journal;
using test::TempDirectory;

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

// Runs `work` with a folder that is a tmpfs of 16 MiB of its own; 77: not allowed here. The folder
// is gone afterwards, for skip() does not come back.
template <class Work>
int on_small_tmpfs(Work work) {
  const TempDirectory directory;
  return test::wait_for(test::spawn([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=16m") != 0) {
      return 77;
    }
    return work(directory);
  }));
}

std::uint64_t allocated_in(const std::string& directory) {
  std::uint64_t sum = 0;
  (void)for_each_journal_file(directory, O_RDONLY,
                              [&](JournalFile& file) { sum += file.allocated_bytes; });
  return sum;
}

void test_journals_of_all_workers_keep_within_the_budget(void**) {
  int result = on_small_tmpfs([](const TempDirectory& directory) {
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
  int result = on_small_tmpfs([](const TempDirectory& directory) {
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
      cmocka_unit_test(test_burst_is_given_back_after_a_while),
      cmocka_unit_test(test_extent_that_comes_too_late_is_removed),
      cmocka_unit_test(test_journals_of_all_workers_keep_within_the_budget),
      cmocka_unit_test(test_full_tmpfs_is_no_segment_and_no_sigbus),
  };
  return cmocka_run_group_tests_name("runtime_journal", tests, nullptr, nullptr);
}
