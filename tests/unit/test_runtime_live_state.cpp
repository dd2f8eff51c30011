#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "runtime/live_layout.hpp"
#include "runtime/live_state.hpp"
#include "test_runtime_support.hpp"
#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::runtime;
using test::TempDirectory;

constexpr std::uint64_t kSmall = 64 * 1024;

std::unique_ptr<LiveState> open_state(const std::string& directory, std::uint64_t zone = kSmall) {
  auto state = LiveState::open(directory, zone);
  if (!state) {
    fail_msg("%s", state.error().message.c_str());
  }
  return std::move(state).value();
}

LiveState::Transaction begin(LiveState& state) {
  auto transaction = state.begin();
  if (!transaction) {
    fail_msg("%s", transaction.error().message.c_str());
  }
  return std::move(transaction).value();
}

std::int32_t ensure(LiveState& state, std::string_view app, std::string_view name) {
  auto transaction = begin(state);
  auto index = transaction.ensure_stream(app, name);
  return index ? index.value() : kNone;
}

// --- the file

void test_zone_is_split_between_streams_and_recordings(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path(), 8 << 20);
  assert_int_equal(state->zone_bytes(), 8 << 20);
  assert_true(state->stream_capacity() > 4000);
  assert_true(state->recording_capacity() > 4000);
  print_message("8m: %d streams, %d recordings\n", state->stream_capacity(),
                state->recording_capacity());
  struct stat info = {};
  assert_int_equal(::stat(directory.file("state").c_str(), &info), 0);
  assert_int_equal(info.st_size, 8 << 20);
  assert_true(info.st_blocks * 512 >= 8 << 20);  // reserved, never a SIGBUS
  assert_int_equal(info.st_mode & 0777, 0600);
}

void test_too_small_zone_is_refused(void**) {
  TempDirectory directory;
  auto state = LiveState::open(directory.path(), kMinZoneBytes - 1);
  assert_false(bool(state));
  assert_int_equal(state.error().code, Errc::kInvalidArgument);
  assert_true(open_state(directory.path(), kMinZoneBytes)->stream_capacity() >= 8);
}

void test_existing_file_is_shared_whatever_the_zone(void**) {
  TempDirectory directory;
  auto first = open_state(directory.path());
  std::int32_t index = ensure(*first, "live", "cam");
  auto second = open_state(directory.path(), 1 << 20);
  assert_int_equal(second->zone_bytes(), kSmall);
  assert_int_equal(begin(*second).find_stream("live", "cam"), index);
  first.reset();
  second.reset();  // nobody has it open: it lives on
  assert_int_equal(begin(*open_state(directory.path())).find_stream("live", "cam"), index);
}

void test_processes_that_start_at_once_share_one_file(void**) {
  constexpr int kProcesses = 8;
  for (int round = 0; round < 10; ++round) {
    TempDirectory directory;
    test::Signal go;
    pid_t pids[kProcesses];
    for (int i = 0; i < kProcesses; ++i) {
      pids[i] = test::spawn([&] {
        if (!go.wait()) {
          return 3;
        }
        auto state = LiveState::open(directory.path(), kSmall);
        if (!state) {
          return 1;
        }
        auto transaction = state.value()->begin();
        return transaction && transaction.value().ensure_stream("live", std::to_string(i)) ? 0 : 2;
      });
    }
    for (int i = 0; i < kProcesses; ++i) {
      go.raise();
    }
    int failed = 0;
    for (pid_t pid : pids) {
      failed += test::wait_for(pid) != 0;
    }
    auto state = open_state(directory.path());
    int found = 0;
    begin(*state).for_each_stream([&](std::int32_t, const StreamRecord&) { ++found; });
    assert_int_equal(failed, 0);
    assert_int_equal(found, kProcesses);
    assert_int_equal(test::list(directory.path(), "state.").size(), 1);  // state.lock
  }
}

void overwrite(const std::string& path, std::size_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void test_file_of_another_layout_or_boot_is_set_aside(void**) {
  struct {
    std::size_t offset;
    std::string bytes;
  } const changes[] = {{offsetof(StateHeader, magic), "X"},
                       {offsetof(StateHeader, layout_version), "\x7f"},
                       {offsetof(StateHeader, stream_size), "\x01"},
                       {offsetof(StateHeader, boot_id), "another boot"},
                       {offsetof(StateHeader, zone_bytes), "\x01"},
                       {offsetof(StateHeader, stream_capacity), "\xff\xff"}};
  TempDirectory directory;
  int aside = 0;
  for (const auto& change : changes) {
    ensure(*open_state(directory.path()), "live", "cam");
    overwrite(directory.file("state"), change.offset, change.bytes);
    auto state = open_state(directory.path());
    assert_int_equal(begin(*state).find_stream("live", "cam"), kNone);
    ++aside;
    struct stat info = {};
    std::string old = directory.file("state." + std::to_string(aside) + ".old");
    assert_int_equal(::stat(old.c_str(), &info), 0);
  }
  // Cut off: reading past its end would be a SIGBUS.
  assert_int_equal(::truncate(directory.file("state").c_str(), kSmall - 4096), 0);
  assert_int_equal(ensure(*open_state(directory.path()), "live", "cam"), 0);
  for (int i = 0; i < 5; ++i) {  // but the old ones do not fill the memory
    overwrite(directory.file("state"), 0, "X");
    (void)open_state(directory.path());
  }
  assert_int_equal(test::list(directory.path(), "state.").size(), 8 + 1);
}

void test_old_generation_keeps_its_file_when_it_is_set_aside(void**) {
  TempDirectory directory;
  auto old = open_state(directory.path());
  ensure(*old, "live", "cam");
  overwrite(directory.file("state"), offsetof(StateHeader, layout_version), "\x7f");
  auto fresh = open_state(directory.path());
  ensure(*fresh, "live", "other");
  assert_int_equal(begin(*old).find_stream("live", "cam"), 0);
  assert_int_equal(begin(*old).find_stream("live", "other"), kNone);
}

// --- records

void test_names_are_kept_whole_and_apart(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  std::string long_app(256, 'a');
  std::string long_name(256, 'n');
  std::int32_t index = ensure(*state, long_app, long_name);
  std::int32_t first = ensure(*state, "ab", "c");
  std::int32_t second = ensure(*state, "a", "bc");
  auto transaction = begin(*state);
  assert_true(transaction.stream(index)->app.view() == long_app);
  assert_true(transaction.stream(index)->name.view() == long_name);
  assert_int_not_equal(first, second);
  assert_int_equal(transaction.find_stream("a", "bc"), second);
  assert_int_equal(transaction.find_stream("abc", ""), kNone);
  auto again = transaction.ensure_stream("ab", "c");
  assert_int_equal(again.value(), first);
  auto refused = transaction.ensure_stream("live", long_name + "n");
  assert_int_equal(refused.error().code, Errc::kInvalidArgument);
  refused = transaction.ensure_stream(long_app + "a", "cam");
  assert_int_equal(refused.error().code, Errc::kInvalidArgument);
}

void test_lookups_see_changes_of_the_same_transaction(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  std::int32_t stream = kNone;
  std::int32_t recording = kNone;
  {
    auto transaction = begin(*state);
    stream = transaction.ensure_stream("live", "cam").value();
    assert_int_equal(transaction.find_stream("live", "cam"), stream);
    transaction.edit_stream(stream).stream_id = 77;
    assert_int_equal(transaction.find_stream(std::int64_t{77}), stream);
    recording = transaction.add_recording().value();
    transaction.edit_recording(recording).slug.assign("abc");
    transaction.edit_recording(recording).video_id = 9;
    assert_int_equal(transaction.find_recording_by_slug("abc"), recording);
    assert_int_equal(transaction.find_recording_by_video(9), recording);
  }
  auto transaction = begin(*state);
  assert_int_equal(transaction.find_stream(std::int64_t{77}), stream);
  assert_int_equal(transaction.find_recording_by_slug("abc"), recording);
  assert_int_equal(transaction.find_recording_by_video(9), recording);
  assert_int_equal(transaction.find_stream(std::int64_t{0}), kNone);
  assert_int_equal(transaction.find_recording_by_slug(""), kNone);
  assert_int_equal(transaction.find_recording_by_video(0), kNone);
  int visited = 0;
  transaction.for_each_recording([&](std::int32_t, const RecordingRecord&) { ++visited; });
  transaction.remove_recording(recording);
  assert_int_equal(transaction.find_recording_by_slug("abc"), kNone);
  assert_null(transaction.recording(recording));
  transaction.for_each_recording([&](std::int32_t, const RecordingRecord&) { ++visited; });
  assert_int_equal(visited, 1);
}

void test_indexes_out_of_use_do_no_harm(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  std::int32_t index = ensure(*state, "live", "cam");
  auto transaction = begin(*state);
  for (std::int32_t bad : {kNone, index + 1, state->stream_capacity(), 1 << 30}) {
    assert_null(transaction.stream(bad));
    assert_null(transaction.recording(bad));
    transaction.edit_stream(bad).stream_id = 5;
    transaction.edit_recording(bad).video_id = 5;
    transaction.remove_recording(bad);
  }
  assert_int_equal(transaction.find_stream(std::int64_t{5}), kNone);
  assert_int_equal(transaction.find_recording_by_video(5), kNone);
  assert_null(state->stream_gauges(kNone));
  assert_null(state->stream_gauges(state->stream_capacity()));
  assert_null(state->recording_gauges(state->recording_capacity()));
  assert_non_null(state->recording_gauges(0));
}

void test_full_zone_drops_the_idle_stream_used_longest_ago(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  std::int32_t count = state->stream_capacity();
  for (std::int32_t i = 0; i < count; ++i) {
    std::int32_t index = ensure(*state, "live", std::to_string(i));
    auto transaction = begin(*state);
    transaction.edit_stream(index).last_used_ms = 1000 + static_cast<std::uint64_t>(i);
    transaction.edit_stream(index).fence = 40 + static_cast<std::uint64_t>(i);
  }
  {
    auto transaction = begin(*state);
    transaction.edit_stream(transaction.find_stream("live", "0")).session.id = 1;
    transaction.edit_stream(transaction.find_stream("live", "1")).recording = 0;
    // Idle, but a recording that is settled and not confirmed belongs to it:
    std::int32_t settled = transaction.add_recording().value();
    transaction.edit_recording(settled).stream = transaction.find_stream("live", "2");
  }
  std::int32_t made = ensure(*state, "live", "new");
  auto transaction = begin(*state);
  assert_int_not_equal(made, kNone);
  assert_int_equal(transaction.find_stream("live", "3"), kNone);
  for (const char* kept : {"0", "1", "2", "4", "new"}) {
    assert_int_not_equal(transaction.find_stream("live", kept), kNone);
  }
  // "3" may come back as any record: its fence must not be lower than the 43 it had.
  assert_true(transaction.stream(made)->fence >= 43);
  assert_int_equal(transaction.stream(made)->stream_id, 0);
}

void test_zone_full_of_streams_in_use(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  for (std::int32_t i = 0; i < state->stream_capacity(); ++i) {
    auto transaction = begin(*state);
    auto index = transaction.ensure_stream("live", std::to_string(i));
    transaction.edit_stream(index.value()).session.id = 1;
  }
  auto transaction = begin(*state);
  auto refused = transaction.ensure_stream("live", "one more");
  assert_false(bool(refused));
  assert_int_equal(refused.error().code, Errc::kUnavailable);
  assert_true(bool(transaction.ensure_stream("live", "3")));
}

void test_zone_full_of_recordings(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  std::set<std::int32_t> given;
  for (std::int32_t i = 0; i < state->recording_capacity(); ++i) {
    given.insert(begin(*state).add_recording().value());
  }
  assert_int_equal(given.size(), state->recording_capacity());
  auto transaction = begin(*state);
  auto refused = transaction.add_recording();
  assert_int_equal(refused.error().code, Errc::kUnavailable);
  transaction.remove_recording(5);
  assert_int_equal(transaction.add_recording().value(), 5);
}

void test_video_ids_are_taken_once(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  assert_int_equal(begin(*state).take_video_id(), 0);
  begin(*state).edit_shared().video_ids = {100, 102};
  assert_int_equal(begin(*state).take_video_id(), 100);
  assert_int_equal(begin(*state).take_video_id(), 101);
  assert_int_equal(begin(*state).take_video_id(), 0);
  assert_int_equal(state->shared_gauges()->spool_free_bytes.get(), -1);
}

// --- the lock

void test_transaction_inside_a_transaction_is_told_so(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  auto outer = begin(*state);
  auto inner = state->begin();
  assert_false(bool(inner));
  assert_int_equal(inner.error().code, Errc::kInternal);
}

void test_stopped_holder_delays_for_a_moment_only(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  test::Signal locked;
  pid_t pid = test::spawn([&] {
    auto transaction = state->begin();
    locked.raise();
    for (;;) {
      ::pause();
    }
    return 0;
  });
  bool waited = locked.wait();
  auto before = std::chrono::steady_clock::now();
  auto refused = state->begin();
  auto took = std::chrono::steady_clock::now() - before;
  Errc code = refused ? Errc::kInternal : refused.error().code;
  ::kill(pid, SIGKILL);
  test::wait_for(pid);
  assert_true(waited);
  assert_int_equal(code, Errc::kUnavailable);
  assert_true(took < std::chrono::seconds(10));
  assert_true(bool(state->begin()));
}

// 4 thousand streams and recordings: how long a look-up holds the lock.
void test_lookups_stay_in_microseconds(void**) {
  constexpr int kStreams = 4000;
  constexpr int kRounds = 200;
  TempDirectory directory;
  auto state = open_state(directory.path(), 8 << 20);
  for (int i = 0; i < kStreams; ++i) {
    auto transaction = begin(*state);
    std::int32_t stream = transaction.ensure_stream("live", "camera-" + std::to_string(i)).value();
    std::int32_t recording = transaction.add_recording().value();
    transaction.edit_recording(recording).stream = stream;
    transaction.edit_recording(recording).slug.assign("slug-" + std::to_string(i));
  }
  auto measure = [&](const char* what, auto action) {
    double best = 1e9;
    double sum = 0;
    for (int i = 0; i < kRounds; ++i) {
      auto start = std::chrono::steady_clock::now();
      action(kStreams - 1 - i);
      std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count());
      sum += took.count();
    }
    print_message("%-22s mean %7.2f us, best %7.2f us\n", what, sum / kRounds, best);
    return best;
  };
  double find = measure("find_stream", [&](int i) {
    assert_int_not_equal(begin(*state).find_stream("live", "camera-" + std::to_string(i)), kNone);
  });
  double edit = measure("ensure_stream, known", [&](int i) {
    auto transaction = begin(*state);
    (void)transaction.ensure_stream("live", "camera-" + std::to_string(i));
  });
  double slug = measure("find_recording_by_slug", [&](int i) {
    assert_int_not_equal(begin(*state).find_recording_by_slug("slug-" + std::to_string(i)), kNone);
  });
  double add = measure("ensure_stream, new", [&](int i) {
    auto transaction = begin(*state);
    (void)transaction.ensure_stream("live", "new-" + std::to_string(i));
  });
  measure("for_each_stream", [&](int) {
    std::int64_t sum = 0;
    begin(*state).for_each_stream(
        [&](std::int32_t, const StreamRecord& record) { sum += record.bytes_in.get(); });
  });
  for (std::int32_t i = kStreams + kRounds; i < state->stream_capacity(); ++i) {
    ensure(*state, "fill", std::to_string(i));
  }
  measure("ensure_stream, evicting", [&](int i) {
    auto transaction = begin(*state);
    assert_true(bool(transaction.ensure_stream("late", std::to_string(i))));
  });
  // Loose, for sanitizers and slow machines: the figures printed are a hundredth of it.
  assert_true(find < 500 && edit < 500 && slug < 500 && add < 500);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_zone_is_split_between_streams_and_recordings),
      cmocka_unit_test(test_too_small_zone_is_refused),
      cmocka_unit_test(test_existing_file_is_shared_whatever_the_zone),
      cmocka_unit_test(test_processes_that_start_at_once_share_one_file),
      cmocka_unit_test(test_file_of_another_layout_or_boot_is_set_aside),
      cmocka_unit_test(test_old_generation_keeps_its_file_when_it_is_set_aside),
      cmocka_unit_test(test_names_are_kept_whole_and_apart),
      cmocka_unit_test(test_lookups_see_changes_of_the_same_transaction),
      cmocka_unit_test(test_indexes_out_of_use_do_no_harm),
      cmocka_unit_test(test_full_zone_drops_the_idle_stream_used_longest_ago),
      cmocka_unit_test(test_zone_full_of_streams_in_use),
      cmocka_unit_test(test_zone_full_of_recordings),
      cmocka_unit_test(test_video_ids_are_taken_once),
      cmocka_unit_test(test_transaction_inside_a_transaction_is_told_so),
      cmocka_unit_test(test_stopped_holder_delays_for_a_moment_only),
      cmocka_unit_test(test_lookups_stay_in_microseconds),
  };
  return cmocka_run_group_tests_name("runtime_live_state", tests, nullptr, nullptr);
}
