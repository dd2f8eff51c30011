// Disks that fail, fill up and stand still: what the recorder promises then.
#include <cerrno>
#include <optional>
#include <thread>

#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;

// What was held back somewhere comes in much faster than in real time.
void burst_does_not_wait_for_rounds(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  encoder.connect(worker.publish());
  while (encoder.next_ms() < 20000) {  // and the clock stands still
    encoder.step();
    worker.settle();
  }
  std::size_t bytes = 0;
  for (const Handed& picture : encoder.handed[0]) {
    bytes += picture.ts < 17000 ? picture.bytes.size() : 0;
  }
  assert_int_equal(machine.spooled().size(), 1);
  assert_true(machine.memory.read("/" + machine.spooled()[0]).size() > bytes);
}

// Every operation fails once, and for 3 s, at each place of a recording's life; then all is well.
void failing_operation_loses_nothing(void**) {
  for (const bool lasting : {false, true}) {
    for (const int error : {ENOSPC, EIO}) {
      int n = 1;
      for (bool met = true; met; ++n) {
        Machine machine;
        machine.rules.fragment_ms = 400;
        machine.rules.reconnect_window_ms = 2000;
        Worker worker(machine);
        Encoder encoder;
        recorder::Session* session = nullptr;
        worker.tick();
        const std::uint64_t before = machine.disk.calls(Call::kAnyChange);
        machine.disk.inject({Call::kAnyChange, n, error, 100, lasting, false});
        encoder.gop = 10;
        session = publish_for(worker, encoder, 1500);
        worker.recorder().end(session, SessionEnd::kInterrupted);
        worker.ticks(6);
        met = machine.disk.calls(Call::kAnyChange) - before >= static_cast<std::uint64_t>(n);
        machine.disk.clear_faults();
        worker.ticks(40);
        if (!worker.recordings().empty() || ready_videos(machine).size() != 1 ||
            !movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed)) {
          fail_msg("operation %d, error %d%s", n, error, lasting ? ", lasting" : "");
        }
        assert_int_equal(machine.spooled().size(), 0);
      }
      assert_true(n > 15);
    }
  }
}

// The same for recordings that are too short, which are removed.
void failing_operation_does_not_keep_a_short_recording(void**) {
  int n = 1;
  for (bool met = true; met; ++n) {
    Machine machine;
    machine.rules.min_duration_ms = 10000;
    machine.rules.reconnect_window_ms = 2000;
    Worker worker(machine);
    Encoder encoder;
    worker.tick();
    const std::uint64_t before = machine.disk.calls(Call::kAnyChange);
    machine.disk.inject({Call::kAnyChange, n, EIO, 0, false, false});
    recorder::Session* session = publish_for(worker, encoder, 1500);
    worker.recorder().end(session, SessionEnd::kInterrupted);
    worker.ticks(60);
    met = machine.disk.calls(Call::kAnyChange) - before >= static_cast<std::uint64_t>(n);
    if (!worker.recordings().empty()) {
      fail_msg("operation %d", n);
    }
    assert_string_equal(machine.catalog.videos.begin()->second.error.c_str(), "too_short");
    assert_int_equal(machine.stored().size() + machine.spooled().size(), 0);
  }
}

void failing_reads_do_not_lose_a_finished_video(void**) {
  for (int n = 1; n < 12; ++n) {
    for (const Call call : {Call::kOpen, Call::kRead}) {
      Machine machine;
      machine.rules.reconnect_window_ms = 2000;
      Encoder encoder;
      {
        Worker worker(machine);
        worker.tick();
        recorder::Session* session = publish_for(worker, encoder, 1500);
        worker.recorder().end(session, SessionEnd::kInterrupted);
        machine.catalog.down = true;
        worker.ticks(10);
        assert_int_equal(machine.stored().size(), 1);
      }  // killed before the catalogue had the row
      machine.catalog.down = false;
      machine.disk.inject({call, n, EIO, 0, false, false});
      Worker worker(machine);
      worker.ticks(60);
      assert_int_equal(ready_videos(machine).size(), 1);
      assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
    }
  }
}

// Nothing is run for as long as the buffer lasts, and longer.
void disk_that_stands_still_costs_the_buffer_and_no_more(void**) {
  for (const bool too_long : {false, true}) {
    Machine machine;
    machine.rules.buffer_bytes = 2 << 20;
    machine.rules.reconnect_window_ms = 2000;
    Worker worker(machine);
    worker.tick();
    Encoder encoder;
    encoder.picture_size = 10000;
    encoder.key_size = 20000;
    recorder::Session* session = publish_for(worker, encoder, 2000);
    const std::size_t reserved = worker.journal().reserved_segments();
    for (std::uint64_t ms = 2000; ms < (too_long ? 20000U : 6000U); ms += 100) {
      encoder.run_until(ms);
      machine.clock.advance(100);
      worker.recorder().tick();
      assert_in_range(worker.io.waiting(), 0, 6);  // one job a recording, and the housekeeping
      assert_true(reserved - worker.journal().free_segments() <= 8);
    }
    const std::size_t last_stalled = encoder.handed[0].size();
    worker.settle();
    publish_until(worker, encoder, too_long ? 25000U : 8000U);
    const auto records = worker.recordings();
    worker.recorder().end(session, SessionEnd::kInterrupted);
    worker.ticks(10);
    assert_int_equal(ready_videos(machine).size(), 1);
    const Bytes file = file_of(machine, ready_videos(machine)[0]);
    assert_int_equal(worker.journal().free_segments(), worker.journal().reserved_segments());
    if (!too_long) {
      assert_true(movie_is(file, encoder.handed));
      assert_int_equal(records.at(0).lost_ms.get(), 0);
      continue;
    }
    // What was kept is a beginning and an end of what was sent.
    const Movie movie = read_movie(file);
    assert_true(movie.readable);
    std::size_t same = 0;
    while (movie.samples[0][same].bytes == encoder.handed[0][same].bytes) {
      ++same;
    }
    assert_true(movie.samples[0][same].key);
    assert_in_range(same, 150, last_stalled);
    const std::size_t lost = encoder.handed[0].size() - movie.samples[0].size();
    for (std::size_t i = same; i < movie.samples[0].size(); ++i) {
      assert_true(movie.samples[0][i].bytes == encoder.handed[0][i + lost].bytes);
    }
    // And it is said how much is missing.
    const std::int64_t lost_ms = static_cast<std::int64_t>(lost) * 40;
    assert_in_range(records.at(0).lost_ms.get(), lost_ms - 100, lost_ms + 100);
    assert_int_equal(machine.log.count("recording_buffer of live/cam"), 1);
    const std::int64_t gap = (movie.samples[0][same].dts - movie.samples[0][same - 1].dts) / 120;
    assert_in_range(gap, lost_ms - 100, lost_ms + 100);
  }
}

// A copy to another file system takes minutes: it has threads of its own.
void end_that_takes_long_holds_up_no_other_recording(void**) {
  Machine machine;
  machine.rules.reconnect_window_ms = 0;
  Worker worker(machine);
  worker.tick();
  Encoder first, second;
  recorder::Session* ended = publish_for(worker, first, 3000);
  second.connect(worker.publish("other"), 0);
  worker.settle();
  worker.recorder().end(ended, recorder::SessionEnd::kGoodbye);
  const auto written = [&] {
    for (int i = 0; i < 3; ++i) {  // only recording_finish stands still
      machine.clock.advance(1000);
      worker.recorder().tick();
      worker.io.drain();
      worker.catalog_io.drain();
    }
    for (const runtime::RecordingRecord& record : worker.recordings()) {
      if (record.stream == worker.stream_index("other")) {
        return record.committed_bytes.get();
      }
    }
    return std::int64_t{0};
  };
  second.run_until(3000);
  const std::int64_t before = written();
  second.run_until(6000);
  assert_true(before > 0 && written() > before);
  assert_int_equal(worker.finish_io.waiting(), 1);
  assert_int_equal(ready_videos(machine).size(), 0);
  worker.settle();
  assert_int_equal(ready_videos(machine).size(), 1);
}

void queue_without_room_loses_nothing(void**) {
  Machine machine;
  machine.rules.reconnect_window_ms = 2000;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 1500);
  worker.io.set_capacity(0);
  publish_until(worker, encoder, 4000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.ticks(5);
  worker.io.set_capacity(1000);
  worker.ticks(40);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
}

void recording_goes_on_without_a_journal(void**) {
  Machine machine;
  machine.journal_percent = 0;
  machine.rules.reconnect_window_ms = 2000;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 3000);
  assert_int_equal(worker.recordings().at(0).unsafe_bytes.get(), 256 * 1024);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.ticks(10);
  assert_true(movie_is(file_of(machine, ready_videos(machine).at(0)), encoder.handed));
  assert_int_equal(machine.log.count("not crash-safe"), 1);
}

// A sync that fails, and then the power: what was said to be safe is.
void failed_sync_keeps_the_journal(void**) {
  Machine machine;
  machine.rules.fragment_ms = 400;
  Encoder encoder;
  {
    Worker worker(machine);
    worker.tick();
    publish_for(worker, encoder, 1000);
    machine.disk.inject({Call::kSync, 1, EIO, 0, true, false});
    publish_until(worker, encoder, 2500);
    // Not given back, as nothing is safe elsewhere.
    assert_true(worker.journal().free_segments() < worker.journal().reserved_segments());
  }
  machine.disk.clear_faults();
  machine.disk.cut_power();  // of the disk alone: the runtime directory is another machine's part
  Worker worker(machine);
  worker.ticks(70);
  assert_true(movie_is(file_of(machine, ready_videos(machine).at(0)), encoder.handed));
}

// The kernel takes what it could not write for written: the sync that fails is the only one to
// tell, whether it is one of many or the only one there is.
void failed_sync_that_forgets_loses_nothing(void**) {
  enum When { kNotKilled, kKilled, kKilledOnceItFailed };
  for (const std::uint8_t mode : {std::uint8_t{1}, std::uint8_t{2}}) {
    bool met = true;
    for (int n = 1; met; ++n) {
      met = false;
      for (const When when : {kNotKilled, kKilled, kKilledOnceItFailed}) {
        Machine machine;
        machine.rules.fragment_ms = 400;
        machine.rules.reconnect_window_ms = 5000;
        machine.rules.sync = mode;
        Encoder encoder;
        std::optional<Worker> worker(std::in_place, machine);
        worker->tick();
        const std::uint64_t before = machine.disk.calls(Call::kSync);
        const auto failed = [&] {
          return machine.disk.calls(Call::kSync) - before >= static_cast<std::uint64_t>(n);
        };
        machine.disk.inject({Call::kSync, n, EIO, 0, false, true});
        recorder::Session* session = worker->publish();
        encoder.connect(session);
        publish_until(*worker, encoder, 1200);
        encoder.run_until(1700);
        if (when == kKilled) {
          worker.emplace(machine);
        } else {
          worker->recorder().end(session, SessionEnd::kInterrupted);
        }
        for (int i = 0; i < 40; ++i) {
          const bool already = failed();
          machine.clock.advance(500);
          worker->recorder().tick();
          while (worker->io.drain() + worker->finish_io.drain() + worker->catalog_io.drain() > 0 &&
                 (when != kKilledOnceItFailed || already || !failed())) {
          }
          if (when == kKilledOnceItFailed && !already && failed()) {
            worker.emplace(machine);
          }
        }
        met = met || failed();
        machine.disk.cut_power();
        if (ready_videos(machine).size() != 1 ||
            !movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed)) {
          fail_msg("mode %d, sync %d, case %d", mode, n, when);
        }
      }
    }
  }
}

// recording_sync says when a recording is forced to the disk: over a life with a reconnect and a
// second recording that is too short.
void recording_is_forced_to_disk_when_it_should(void**) {
  for (const std::uint8_t mode : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
    Machine machine;
    machine.rules.reconnect_window_ms = 5000;
    machine.rules.min_duration_ms = 3000;
    machine.rules.sync = mode;
    Worker worker(machine);
    worker.ticks(2);
    Encoder encoder;
    const auto forced = [&] {
      return machine.disk.calls(Call::kSync) + machine.disk.calls(Call::kSyncDirectory);
    };
    const auto begin = forced();
    recorder::Session* session = publish_for(worker, encoder, 5000);
    const auto written = machine.disk.calls(Call::kSync);
    worker.recorder().end(session, SessionEnd::kInterrupted);
    worker.ticks(2);
    session = publish_for(worker, encoder, 2000, 100000);
    end_for_good(worker, session);
    assert_true(movie_is(file_of(machine, ready_videos(machine).at(0)), encoder.handed));
    Encoder other(2);
    end_for_good(worker, publish_for(worker, other, 1000));
    assert_int_equal(machine.spooled().size() + machine.stored().size(), 1);
    if (mode == 0) {
      assert_int_equal(forced() - begin, 0);
    } else if (mode == 1) {
      assert_true(written >= 4);
    } else {
      assert_int_equal(written, 0);
      assert_true(forced() > begin);
    }
  }
}

// The disk hangs while the encoder comes and goes: what it sends each time waits for the first
// one's job, in the same worker or in others, some of which die.
void encoder_that_comes_and_goes_while_the_disk_hangs_loses_nothing(void**) {
  for (const int killed : {-1, 0, 1, 2}) {
    for (const bool elsewhere : {false, true}) {
      Machine machine;
      std::vector<std::unique_ptr<Worker>> workers;
      for (int i = 0; i < 3; ++i) {
        workers.push_back(std::make_unique<Worker>(machine));
      }
      workers[2]->ticks(2);  // keeps house
      Encoder encoder;
      for (std::uint32_t i = 0; i < 3; ++i) {
        Worker& worker = *workers[elsewhere ? i : 0];
        recorder::Session* session = worker.publish();
        assert_non_null(session);
        worker.catalog_io.drain();
        encoder.connect(session, i * 100000);
        encoder.run_until(2000);  // no job is run
        machine.clock.advance(2000);
        worker.recorder().tick();
        worker.recorder().end(session, SessionEnd::kInterrupted);
        machine.clock.advance(1000);
      }
      if (killed >= 0) {
        workers[static_cast<std::size_t>(killed)] = std::make_unique<Worker>(machine);
      }
      for (int i = 0; i < 90; ++i) {
        machine.clock.advance(1000);
        for (const std::size_t k : {2, 1, 0}) {
          workers[k]->recorder().tick();
          workers[k]->settle();
        }
      }
      if (ready_videos(machine).size() != 1 ||
          !movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed)) {
        fail_msg("%d killed%s", killed, elsewhere ? ", on three workers" : "");
      }
      assert_int_equal(workers[0]->recordings().size(), 0);
      for (const auto& worker : workers) {
        assert_int_equal(worker->journal().free_segments(), worker->journal().reserved_segments());
      }
    }
  }
}

// Somebody holds the lock of the live state for longer than anybody waits for it: what had to be
// changed is changed later.
void busy_live_state_delays_changes_and_loses_none(void**) {
  Machine machine;
  machine.rules.reconnect_window_ms = 0;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 2000);
  const auto while_locked = [&](auto act) {
    auto other = std::move(runtime::LiveState::open(machine.runtime.path(), 65536)).value();
    auto held =
        std::make_unique<runtime::LiveState::Transaction>(std::move(other->begin()).value());
    std::thread([&] { act(); }).join();
    held.reset();
  };
  while_locked([&] { worker.recorder().end(session, SessionEnd::kInterrupted); });
  while_locked([&] { worker.settle(); });
  worker.ticks(30);
  assert_int_equal(worker.recordings().size(), 0);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
  assert_int_equal(worker.stream().recording, runtime::kNone);
  assert_int_equal(worker.stream().session.id, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(burst_does_not_wait_for_rounds),
      cmocka_unit_test(failing_operation_loses_nothing),
      cmocka_unit_test(failing_operation_does_not_keep_a_short_recording),
      cmocka_unit_test(failing_reads_do_not_lose_a_finished_video),
      cmocka_unit_test(disk_that_stands_still_costs_the_buffer_and_no_more),
      cmocka_unit_test(end_that_takes_long_holds_up_no_other_recording),
      cmocka_unit_test(queue_without_room_loses_nothing),
      cmocka_unit_test(recording_goes_on_without_a_journal),
      cmocka_unit_test(failed_sync_keeps_the_journal),
      cmocka_unit_test(failed_sync_that_forgets_loses_nothing),
      cmocka_unit_test(recording_is_forced_to_disk_when_it_should),
      cmocka_unit_test(encoder_that_comes_and_goes_while_the_disk_hangs_loses_nothing),
      cmocka_unit_test(busy_live_state_delays_changes_and_loses_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
