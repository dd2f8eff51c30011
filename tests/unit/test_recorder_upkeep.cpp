// What the recorder counts, how it watches the space, and how videos go.
#include <cerrno>
#include <string>

#include "recorder/removal.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;

template <class Counters>
std::uint64_t sum(const Counters& counters) {
  std::uint64_t all = 0;
  for (const auto& counter : counters) {
    all += counter.get();
  }
  return all;
}

std::uint64_t count_of(const runtime::Metrics& metrics, runtime::InterruptionEnd how) {
  return metrics.interruptions[static_cast<std::size_t>(how)].get();
}

void counts_what_a_recording_goes_through(void**) {
  Machine machine;
  machine.rules.reconnect_window_ms = 2000;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 3000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.tick();
  encoder.width = 40;  // and it comes back with larger pictures
  session = publish_for(worker, encoder, 3000);
  const auto repairs = static_cast<std::uint64_t>(worker.stream().timestamp_repairs.get());
  encoder.clock_ahead = 500'000;  // its clock jumps
  publish_until(worker, encoder, 4000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
  const runtime::Metrics& metrics = worker.state().metrics();
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_int_equal(metrics.bytes.get(), file_of(machine, ready_videos(machine)[0]).size());
  assert_int_equal(count_of(metrics, runtime::InterruptionEnd::kResumed), 1);
  assert_int_equal(count_of(metrics, runtime::InterruptionEnd::kEnded), 1);
  assert_int_equal(count_of(metrics, runtime::InterruptionEnd::kStopped), 0);
  const auto* width =
      std::find(media::kParameterFields.begin(), media::kParameterFields.end(), "video.width");
  const auto field = static_cast<std::size_t>(width - media::kParameterFields.begin());
  assert_int_equal(metrics.source_changes[field].get(), 1);
  assert_true(sum(metrics.timestamp_repairs) > repairs);
  assert_true(sum(metrics.writes.buckets) >= 6);
  assert_int_equal(sum(metrics.finalizations.buckets), 1);
  assert_int_equal(metrics.write_errors.get(), 0);
  assert_int_equal(sum(metrics.discarded), 0);
}

void counts_those_that_are_not_kept_and_those_stopped_meanwhile(void**) {
  Machine machine;
  machine.rules.min_duration_ms = 10000;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 2000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.tick();
  stop(worker);
  run_out(worker);
  const runtime::Metrics& metrics = worker.state().metrics();
  assert_int_equal(count_of(metrics, runtime::InterruptionEnd::kStopped), 1);
  assert_int_equal(sum(metrics.interruptions), 1);
  assert_int_equal(metrics.discarded[0].get(), 1);
  assert_true(metrics.bytes.get() > 10'000);  // they were written, and no counter goes back
  assert_int_equal(sum(metrics.discarded), 1);
  assert_int_equal(sum(metrics.finalizations.buckets), 0);
}

// A killed worker leaves what it counted, and what its file has is counted once.
void numbers_outlive_a_worker(void**) {
  Machine machine;
  machine.rules.reconnect_window_ms = 2000;
  Encoder encoder;
  std::uint64_t before = 0;
  {
    Worker worker(machine);
    worker.tick();
    (void)publish_for(worker, encoder, 3000);
    before = worker.state().metrics().bytes.get();
    assert_true(before > 10'000);
  }
  Worker worker(machine);
  assert_int_equal(worker.state().metrics().bytes.get(), before);
  run_out(worker);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_int_equal(worker.state().metrics().bytes.get(),
                   file_of(machine, ready_videos(machine)[0]).size());
}

void a_disk_that_fails_is_seen(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 2000);
  machine.disk.inject({Call::kWrite, 1, EIO, 0, true, false});
  publish_until(worker, encoder, 6000);
  const runtime::Metrics& metrics = worker.state().metrics();
  assert_true(metrics.write_errors.get() >= 2);
  assert_true(worker.recordings()[0].waiting_bytes.get() > 10'000);
  machine.disk.clear_faults();
  worker.ticks(20);
  assert_int_equal(worker.recordings()[0].waiting_bytes.get(), 0);
  end_for_good(worker, session);
  assert_int_equal(metrics.bytes.get(), file_of(machine, ready_videos(machine)[0]).size());
}

std::size_t warnings(const Machine& machine) { return machine.log.count("\"type\":\"space.low\""); }

void warns_before_nothing_can_start(void**) {
  Machine machine;
  machine.min_free_bytes = 1 << 20;
  machine.memory.set_free_bytes(3 << 20);
  Worker worker(machine);
  worker.ticks(3);
  assert_int_equal(warnings(machine), 0);
  machine.memory.set_free_bytes((2 << 20) - 1);
  worker.ticks(3);
  assert_int_equal(warnings(machine), 1);
  assert_true(recorder::space_of(worker.state(), machine.min_free_bytes).low);
  machine.memory.set_free_bytes((2 << 20) + 10);  // it hovers about the limit
  worker.ticks(3);
  machine.memory.set_free_bytes((2 << 20) - 10);
  worker.ticks(3);
  assert_int_equal(warnings(machine), 1);
  machine.memory.set_free_bytes(4 << 20);
  worker.ticks(3);
  machine.memory.set_free_bytes(1 << 20);
  worker.ticks(3);
  assert_int_equal(warnings(machine), 2);
}

void told_once_whoever_looks(void**) {
  Machine machine;
  machine.min_free_bytes = 1 << 20;
  machine.memory.set_free_bytes(1 << 20);
  {
    Worker worker(machine);
    worker.ticks(3);
  }
  Worker worker(machine);
  worker.ticks(3);
  assert_int_equal(warnings(machine), 1);
}

// 10 MiB over min_free are much, and little when some 20 KB a second are written.
void warns_by_the_time_that_is_left(void**) {
  Machine machine;
  machine.min_free_bytes = 1 << 20;
  machine.memory.set_free_bytes(11 << 20);
  Worker worker(machine);
  worker.ticks(40);
  assert_int_equal(warnings(machine), 0);
  assert_false(recorder::space_of(worker.state(), machine.min_free_bytes).left_seconds.has_value());
  Encoder encoder;
  (void)publish_for(worker, encoder, 60'000);
  const recorder::Space space = recorder::space_of(worker.state(), machine.min_free_bytes);
  const std::int64_t rate = space.bytes_per_second;
  const auto written = static_cast<std::int64_t>(worker.state().metrics().bytes.get());
  assert_true(rate > written / 60 * 8 / 10 && rate < written / 60 * 12 / 10);
  assert_int_equal(*space.left_seconds, (10 << 20) / rate);
  assert_int_equal(warnings(machine), 1);
}

void no_limit_no_warning(void**) {
  Machine machine;
  machine.memory.set_free_bytes(0);
  Worker worker(machine);
  worker.ticks(3);
  assert_int_equal(warnings(machine), 0);
}

// A finished video of `machine`, and its row.
catalog::VideoRow make_video(Machine& machine, Worker& worker) {
  machine.rules.reconnect_window_ms = 2000;
  worker.tick();
  Encoder encoder;
  end_for_good(worker, publish_for(worker, encoder, 3000));
  assert_int_equal(machine.stored().size(), 1);
  return ready_videos(machine)[0];
}

void old_videos_go_when_their_time_is_up(void**) {
  Machine machine;
  machine.keep_ms = 3'600'000;
  Worker worker(machine);
  const catalog::VideoRow row = make_video(machine, worker);
  worker.ticks(3);
  assert_int_equal(machine.stored().size(), 1);
  machine.clock.advance(3'600'000);
  worker.ticks(3);
  assert_int_equal(machine.stored().size(), 0);
  assert_true(machine.catalog.videos.empty() && machine.catalog.files_left.empty());
  assert_int_equal(machine.log.count("\"type\":\"video.deleted\""), 1);
  assert_int_equal(machine.log.count("\"reason\":\"keep\""), 1);
}

void without_keep_all_are_kept(void**) {
  Machine machine;
  Worker worker(machine);
  (void)make_video(machine, worker);
  machine.clock.advance(std::int64_t{1000} * 24 * 3'600'000);
  worker.ticks(3);
  assert_int_equal(machine.stored().size(), 1);
}

// After a reload the old worker lives as long as its publishers, with the configuration of then.
void a_draining_worker_hands_over(void**) {
  Machine machine;
  Worker old(machine);
  (void)make_video(machine, old);
  machine.keep_ms = 3'600'000;
  Worker worker(machine);
  machine.clock.advance(3'600'000);
  const auto both = [&](int count) {
    for (int i = 0; i < count; ++i) {
      old.tick(500);
      worker.tick(500);
    }
  };
  both(5);
  assert_int_equal(machine.stored().size(), 1);
  old.recorder().drain();
  both(5);
  assert_int_equal(machine.stored().size(), 0);
}

void a_draining_worker_goes_on_where_there_is_no_other(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  worker.recorder().drain();
  machine.catalog.files_left["gone"] = "";
  worker.ticks(10);
  assert_true(machine.catalog.files_left.empty());
}

// Killed between row and files; and what a disk refuses is tried again, later and quietly.
void files_that_are_left_are_removed(void**) {
  Machine machine;
  {
    Worker worker(machine);
    const catalog::VideoRow row = make_video(machine, worker);
    machine.catalog.files_left[row.slug] = row.path;
    machine.catalog.videos.clear();
  }
  machine.disk.inject({Call::kRemove, 1, EIO, 0, true, false});
  Worker worker(machine);
  worker.ticks(30);
  assert_int_equal(machine.stored().size(), 1);
  assert_int_equal(machine.log.count("files of the deleted video"), 1);
  machine.disk.clear_faults();
  worker.ticks(60);
  assert_int_equal(machine.stored().size(), 0);
  assert_true(machine.catalog.files_left.empty());
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(counts_what_a_recording_goes_through),
    cmocka_unit_test(counts_those_that_are_not_kept_and_those_stopped_meanwhile),
    cmocka_unit_test(numbers_outlive_a_worker),
    cmocka_unit_test(a_disk_that_fails_is_seen),
    cmocka_unit_test(warns_before_nothing_can_start),
    cmocka_unit_test(told_once_whoever_looks),
    cmocka_unit_test(warns_by_the_time_that_is_left),
    cmocka_unit_test(no_limit_no_warning),
    cmocka_unit_test(old_videos_go_when_their_time_is_up),
    cmocka_unit_test(without_keep_all_are_kept),
    cmocka_unit_test(a_draining_worker_hands_over),
    cmocka_unit_test(a_draining_worker_goes_on_where_there_is_no_other),
    cmocka_unit_test(files_that_are_left_are_removed),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
