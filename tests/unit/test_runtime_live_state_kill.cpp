// Workers that are killed while they change the live state.

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "runtime/live_layout.hpp"
#include "runtime/live_state.hpp"
#include "runtime/live_state_file.hpp"
#include "test_runtime_support.hpp"
#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::runtime;
using test::Stepper;
using test::TempDirectory;

constexpr std::uint64_t kZone = 64 * 1024;

std::unique_ptr<LiveState> open_state(const std::string& directory) {
  auto state = LiveState::open(directory, kZone);
  if (!state) {
    fail_msg("%s", state.error().message.c_str());
  }
  return std::move(state).value();
}

// The records that change_all() changes as one.
struct Scene {
  std::int32_t a = kNone, b = kNone, recording = kNone;
};

Scene set_scene(LiveState& state) {
  auto transaction = state.begin();
  Scene scene;
  scene.a = transaction.value().ensure_stream("live", "a").value();
  scene.b = transaction.value().ensure_stream("live", "b").value();
  scene.recording = transaction.value().add_recording().value();
  transaction.value().edit_stream(scene.a).session.width = 100;
  transaction.value().edit_recording(scene.recording).slug.assign("old");
  transaction.value().edit_recording(scene.recording).video_id = 1;
  transaction.value().edit_shared().video_ids = {1, 1000};
  return scene;
}

void change_all(LiveState::Transaction& transaction, const Scene& scene) {
  transaction.edit_stream(scene.a).session.width -= 60;
  transaction.edit_stream(scene.b).session.width += 60;
  transaction.edit_stream(scene.b).stream_id = 5;
  (void)transaction.take_video_id();
  transaction.remove_recording(scene.recording);
  std::int32_t made = transaction.add_recording().value();
  transaction.edit_recording(made).slug.assign("new");
  transaction.edit_recording(made).video_id = 2;
  (void)transaction.ensure_stream("live", "c");
}

// 0: all as before change_all(); 1: all as after it; -1: a mixture, or look-ups that lie.
int look_at(LiveState::Transaction& transaction, const Scene& scene) {
  const StreamRecord* a = transaction.stream(scene.a);
  const StreamRecord* b = transaction.stream(scene.b);
  if (a == nullptr || b == nullptr || transaction.find_stream("live", "a") != scene.a ||
      transaction.find_stream("live", "b") != scene.b) {
    return -1;
  }
  int streams = 0;
  transaction.for_each_stream([&](std::int32_t, const StreamRecord&) { ++streams; });
  int recordings = 0;
  transaction.for_each_recording([&](std::int32_t, const RecordingRecord&) { ++recordings; });
  bool slug_old = transaction.find_recording_by_slug("old") != kNone;
  bool slug_new = transaction.find_recording_by_slug("new") != kNone;
  bool video_old = transaction.find_recording_by_video(1) != kNone;
  bool video_new = transaction.find_recording_by_video(2) != kNone;
  bool has_c = transaction.find_stream("live", "c") != kNone;
  bool has_id = transaction.find_stream(std::int64_t{5}) == scene.b;
  std::int64_t next = transaction.edit_shared().video_ids.next;
  if (a->session.width == 100 && b->session.width == 0 && slug_old && !slug_new && video_old &&
      !video_new && !has_c && !has_id && next == 1 && streams == 2 && recordings == 1) {
    return 0;
  }
  if (a->session.width == 40 && b->session.width == 60 && !slug_old && slug_new && !video_old &&
      video_new && has_c && has_id && next == 2 && streams == 3 && recordings == 1) {
    return 1;
  }
  return -1;
}

int look_at(LiveState& state, const Scene& scene) {
  auto transaction = state.begin();
  return transaction ? look_at(transaction.value(), scene) : -2;
}

void test_change_is_taken_back_when_its_process_is_killed(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  int result = test::wait_for(test::spawn([&] {
    auto transaction = state->begin();
    change_all(transaction.value(), scene);
    if (look_at(transaction.value(), scene) != 1) {
      return 1;
    }
    test::die();
    return 0;
  }));
  assert_int_equal(result, -SIGKILL);
  assert_int_equal(look_at(*state, scene), 0);
}

void test_change_stays_when_its_process_is_killed_later(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  int result = test::wait_for(test::spawn([&] {
    {
      auto transaction = state->begin();
      change_all(transaction.value(), scene);
    }
    auto next = state->begin();  // killed with the lock held, but nothing changed
    test::die();
    return 0;
  }));
  assert_int_equal(result, -SIGKILL);
  assert_int_equal(look_at(*state, scene), 1);
}

// The process that takes a change back is killed in the middle of that, again and again.
void test_killed_while_taking_back(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  test::wait_for(test::spawn([&] {
    auto transaction = state->begin();
    change_all(transaction.value(), scene);
    test::die();
    return 0;
  }));
  for (int i = 0; i < 3; ++i) {
    int result = test::wait_for(test::spawn([&] {
      auto mapped = map_live_state(directory.path(), kZone);
      auto* header = static_cast<StateHeader*>(mapped.value().address);
      StateView view = view_of(header, header->stream_capacity);
      if (::pthread_mutex_lock(&header->mutex) != EOWNERDEAD || header->undo_count.load() == 0) {
        return 1;
      }
      view.streams[scene.a].session.width = 12345;  // half restored
      view.name_hash[scene.b] = 0;
      test::die();
      return 0;
    }));
    assert_int_equal(result, -SIGKILL);
  }
  assert_int_equal(look_at(*state, scene), 0);
}

void test_entry_of_the_log_that_is_not_complete_is_not_used(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  int result = test::wait_for(test::spawn([&] {
    auto transaction = state->begin();
    auto mapped = map_live_state(directory.path(), kZone);
    auto* header = static_cast<StateHeader*>(mapped.value().address);
    header->undo[0].kind = RecordKind::kStream;  // as undo_save does, but count is not stored yet
    header->undo[0].index = scene.a;
    ::new (&header->undo[0].image.stream) StreamRecord();
    test::die();
    return 0;
  }));
  assert_int_equal(result, -SIGKILL);
  assert_int_equal(look_at(*state, scene), 0);
}

void test_gauges_are_not_taken_back(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  state->stream_gauges(scene.a)->bytes_in.set(10);
  state->recording_gauges(scene.recording)->duration_ms.set(10);
  test::wait_for(test::spawn([&] {
    auto transaction = state->begin();
    transaction.value().edit_stream(scene.a).session.width = 7;
    transaction.value().edit_recording(scene.recording).state = RecordingState::kEnding;
    transaction.value().edit_shared().video_ids.next = 500;
    // Meanwhile their owners go on:
    state->stream_gauges(scene.a)->bytes_in.set(20);
    state->recording_gauges(scene.recording)->duration_ms.set(20);
    state->shared_gauges()->spool_free_bytes.set(20);
    test::die();
    return 0;
  }));
  assert_int_equal(look_at(*state, scene), 0);
  assert_int_equal(state->stream_gauges(scene.a)->bytes_in.get(), 20);
  assert_int_equal(state->recording_gauges(scene.recording)->duration_ms.get(), 20);
  assert_int_equal(state->shared_gauges()->spool_free_bytes.get(), 20);
}

void test_gauges_of_a_record_that_was_given_away_come_back(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  state->recording_gauges(scene.recording)->committed_bytes.set(10);
  test::wait_for(test::spawn([&] {
    auto transaction = state->begin();
    change_all(transaction.value(), scene);  // the slot of "old" becomes that of "new"
    state->recording_gauges(scene.recording)->committed_bytes.set(99);
    test::die();
    return 0;
  }));
  assert_int_equal(look_at(*state, scene), 0);
  assert_int_equal(state->recording_gauges(scene.recording)->committed_bytes.get(), 10);
}

void test_many_records_change_in_groups(void**) {
  constexpr std::uint32_t kStreams = kUndoRecords + 4;
  TempDirectory directory;
  auto state = open_state(directory.path());
  std::vector<std::int32_t> streams;
  for (std::uint32_t i = 0; i < kStreams; ++i) {
    auto transaction = state->begin();
    streams.push_back(transaction.value().ensure_stream("live", std::to_string(i)).value());
  }
  test::wait_for(test::spawn([&] {
    auto transaction = state->begin();
    for (std::int32_t stream : streams) {
      transaction.value().edit_stream(stream).session.width = 1;
      transaction.value().edit_stream(stream).stream_id = 100 + stream;
    }
    test::die();
    return 0;
  }));
  auto transaction = state->begin();
  std::uint32_t changed = 0;
  for (std::int32_t stream : streams) {
    const StreamRecord& record = *transaction.value().stream(stream);
    bool found = transaction.value().find_stream(std::int64_t{100 + stream}) == stream;
    assert_int_equal(found, record.session.width == 1);
    assert_int_equal(record.stream_id != 0, record.session.width == 1);
    changed += record.session.width;
  }
  assert_int_equal(changed, kUndoRecords);
}

// The file as it is after each single instruction is what a kill there leaves behind (but for the
// mutex, which the kernel marks): a copy of it is put into another live state and taken back there.
void test_stopped_after_each_instruction(void**) {
  TempDirectory directory;
  TempDirectory other;
  auto state = open_state(directory.path());
  auto copy = open_state(other.path());
  Scene scene = set_scene(*state);
  auto from = map_live_state(directory.path(), kZone);
  auto to = map_live_state(other.path(), kZone);
  auto* header = static_cast<StateHeader*>(to.value().address);
  StateView view = view_of(header, header->stream_capacity);
  constexpr std::size_t kSkipped = offsetof(StateHeader, fence_floor);  // all up to the mutex

  Stepper stepper;
  if (!stepper.start([&] {
        auto transaction = state->begin();
        change_all(transaction.value(), scene);
      })) {
    stepper.kill();
    skip();
  }
  int before = 0;
  int after = 0;
  int bad = 0;
  int open_changes = 0;
  do {
    std::memcpy(static_cast<std::uint8_t*>(to.value().address) + kSkipped,
                static_cast<const std::uint8_t*>(from.value().address) + kSkipped,
                kZone - kSkipped);
    open_changes += header->undo_count.load() > 0;
    undo_roll_back(view);
    int seen = look_at(*copy, scene);
    before += seen == 0;
    after += seen == 1;
    bad += seen < 0 || (after > 0 && seen == 0);
  } while (stepper.step());
  stepper.kill();
  ::munmap(from.value().address, kZone);
  ::munmap(to.value().address, kZone);
  print_message("%d instructions, %d with changes to take back\n", before + after, open_changes);
  assert_int_equal(bad, 0);
  assert_true(before > 0 && after > 0 && open_changes > 100);
}

// The same with the mutex: really killed, at some of the instructions.
void test_killed_after_some_instructions(void**) {
  constexpr long kKills = 24;
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  auto work = [&] {
    auto transaction = state->begin();
    change_all(transaction.value(), scene);
  };
  // Killed before its end, it changes nothing; so its length is measured where it may.
  long length = 0;
  {
    TempDirectory other;
    auto rehearsal = open_state(other.path());
    (void)set_scene(*rehearsal);
    std::swap(state, rehearsal);
    Stepper stepper;
    if (!stepper.start(work)) {
      stepper.kill();
      skip();
    }
    for (; stepper.step(); ++length) {
    }
    stepper.kill();
    std::swap(state, rehearsal);
  }
  int bad = 0;
  int kept = 0;
  for (long kill = 0; kill < kKills && kept == 0; ++kill) {
    Stepper stepper;
    bad += !stepper.start(work);
    for (long i = 0; i < length * kill / kKills && stepper.step(); ++i) {
    }
    stepper.kill();
    int seen = look_at(*state, scene);
    bad += seen < 0;
    kept += seen == 1;  // killed after its end: the last one
  }
  assert_int_equal(bad, 0);
  assert_int_equal(kept, 0);
}

// What every transaction of move_back_and_forth() keeps: each pair of streams sums up to 100, and
// there is a recording "r{n}" exactly when the shared counter is n.
void move_back_and_forth(LiveState& state, const Scene& scene, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    auto begun = state.begin();
    if (!begun) {
      continue;
    }
    LiveState::Transaction& transaction = begun.value();
    std::uint32_t moved = transaction.stream(scene.a)->session.width > 50 ? 30u : ~0u - 29u;
    transaction.edit_stream(scene.a).session.width -= moved;
    transaction.edit_stream(scene.b).session.width += moved;
    std::int64_t number = transaction.edit_shared().video_ids.next++;
    RecordingRecord& recording = transaction.edit_recording(scene.recording);
    recording.slug.assign("r" + std::to_string(number + 1));
    recording.video_id = number + 1;
  }
}

// Whoever has the lock may not be given a processor for long: then it is asked for again.
bool holds(LiveState& state, const Scene& scene, std::int64_t* number, int tries = 500) {
  auto begun = state.begin();
  if (!begun) {
    return tries > 0 && holds(state, scene, number, tries - 1);
  }
  LiveState::Transaction& transaction = begun.value();
  *number = transaction.edit_shared().video_ids.next;
  return transaction.stream(scene.a)->session.width + transaction.stream(scene.b)->session.width ==
             100 &&
         transaction.find_recording_by_slug("r" + std::to_string(*number)) == scene.recording &&
         transaction.find_recording_by_video(*number) == scene.recording;
}

void start_counting(LiveState& state, const Scene& scene) {
  auto transaction = state.begin();
  transaction.value().edit_shared().video_ids.next = 1;
  transaction.value().edit_recording(scene.recording).slug.assign("r1");
}

void test_two_processes_hammering(void**) {
  constexpr int kRounds = 20000;
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  start_counting(*state, scene);
  auto work = [&] {
    auto own = LiveState::open(directory.path(), kZone);
    if (!own) {
      return 1;
    }
    move_back_and_forth(*own.value(), scene, kRounds);
    return 0;
  };
  pid_t first = test::spawn(work);
  pid_t second = test::spawn(work);
  int failed = test::wait_for(first) + test::wait_for(second);
  std::int64_t number = 0;
  bool good = holds(*state, scene, &number);
  assert_int_equal(failed, 0);
  assert_true(good);
  assert_int_equal(number, 1 + 2 * kRounds);
}

void test_killed_at_random_instants(void**) {
  TempDirectory directory;
  auto state = open_state(directory.path());
  Scene scene = set_scene(*state);
  start_counting(*state, scene);
  std::int64_t last = 0;
  int bad = 0;
  std::uint32_t random = 12345;
  for (int i = 0; i < 100; ++i) {
    auto work = [&] {
      move_back_and_forth(*state, scene, 1 << 30);
      return 0;
    };
    pid_t first = test::spawn(work);
    pid_t second = test::spawn(work);
    // By the work done, not by the clock: some hundreds of transactions of the two.
    random = random * 1664525 + 1013904223;
    std::int64_t target = last + (random >> 25);
    std::int64_t number = 0;
    while (number < target && holds(*state, scene, &number)) {
    }
    ::kill(i % 2 == 0 ? first : second, SIGKILL);
    bad += !holds(*state, scene, &number);
    ::kill(i % 2 == 0 ? second : first, SIGKILL);
    test::wait_for(first);
    test::wait_for(second);
    bad += !holds(*state, scene, &number);
    bad += number < last;
    last = number;
  }
  print_message("%lld transactions, 200 kills\n", static_cast<long long>(last));
  assert_int_equal(bad, 0);
  assert_true(last > 100);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_change_is_taken_back_when_its_process_is_killed),
      cmocka_unit_test(test_change_stays_when_its_process_is_killed_later),
      cmocka_unit_test(test_killed_while_taking_back),
      cmocka_unit_test(test_entry_of_the_log_that_is_not_complete_is_not_used),
      cmocka_unit_test(test_gauges_are_not_taken_back),
      cmocka_unit_test(test_gauges_of_a_record_that_was_given_away_come_back),
      cmocka_unit_test(test_many_records_change_in_groups),
      cmocka_unit_test(test_stopped_after_each_instruction),
      cmocka_unit_test(test_killed_after_some_instructions),
      cmocka_unit_test(test_two_processes_hammering),
      cmocka_unit_test(test_killed_at_random_instants),
  };
  return cmocka_run_group_tests_name("runtime_live_state_kill", tests, nullptr, nullptr);
}
