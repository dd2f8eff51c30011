// What journals keep over the death of their process, and who gives it back.
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

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_committed_bytes_survive_a_kill),
      cmocka_unit_test(test_segment_never_changes_hands_by_halves),
      cmocka_unit_test(test_end_of_the_process_leaves_what_is_in_use),
      cmocka_unit_test(test_foreign_and_damaged_files_are_passed_over),
      cmocka_unit_test(test_left_segments_are_given_back),
      cmocka_unit_test(test_journal_of_another_living_process_is_not_removed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
