// A worker is killed, or the power is cut, between any two steps of a scripted life; what comes
// afterwards must find exactly the samples that were handed in.
#include <functional>
#include <optional>

#include "recorder/control.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using media::TrackKind;
using recorder::SessionEnd;

struct Killed {};

// Runs a script step by step, and ends it after a number of steps.
class Life {
 public:
  Life(Machine& machine, int steps) : machine_(machine), left_(steps), worker_(machine) {}

  Worker& worker() { return *worker_; }
  Encoder encoder;
  // What had been handed in when the disk had last caught up.
  std::uint32_t safe_ts = 0;
  std::vector<recorder::PerKind<std::size_t>> cuts;  // stops, as numbers of samples handed in

  void step() {
    if (left_-- <= 0) {
      throw Killed{};
    }
  }
  void publish() {
    session_ = worker().publish();
    worker().settle();  // the settings of the stream are known
    step();
    encoder.connect(session_, base_);
    step();
  }
  // Each message is a step; so is each half of a job, some messages later.
  void media(std::uint64_t until_ms) {
    while (encoder.next_ms() < until_ms) {
      const std::uint64_t before = encoder.next_ms();
      encoder.step();
      step();
      machine_.clock.advance(static_cast<std::int64_t>(encoder.next_ms() - before));
      if (++messages_ % 9 == 0) {
        pool();
      }
      if (messages_ % 40 == 0) {
        worker().recorder().tick();
        step();
      }
    }
  }
  void pool() {
    for (QueuedExecutor* threads : {&worker().io, &worker().finish_io}) {
      if (threads->run_one()) {
        step();
      }
      if (threads->finish_one()) {
        step();
      }
    }
    if (worker().catalog_io.drain() > 0) {
      step();
    }
    if (worker().io.waiting() + worker().io.finished() == 0 && !encoder.handed[0].empty()) {
      safe_ts = encoder.handed[0].back().ts;
    }
  }
  void drain() {
    while (worker().io.waiting() + worker().io.finished() + worker().finish_io.waiting() +
               worker().finish_io.finished() + worker().catalog_io.waiting() >
           0) {
      pool();
    }
  }
  void end() {
    worker().recorder().end(session_, SessionEnd::kInterrupted);
    session_ = nullptr;
    base_ += 900000;
    step();
  }
  void stop() {
    (void)recorder::stop_recording(worker().state(), machine_.clock, worker().stream_index());
    cuts.push_back({encoder.handed[0].size(), encoder.handed[1].size()});
    step();
    worker().recorder().woken();
    step();
  }
  void start() {
    (void)recorder::start_recording(worker().state(), machine_.clock, worker().stream_index(), 0);
    cuts.push_back({encoder.handed[0].size(), encoder.handed[1].size()});
    step();
    worker().recorder().woken();
    step();
  }
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      machine_.clock.advance(1000);
      worker().recorder().tick();
      step();
      drain();
    }
  }
  void kill() { worker_.reset(); }

 private:
  Machine& machine_;
  int left_;
  std::optional<Worker> worker_;
  recorder::Session* session_ = nullptr;
  std::uint32_t base_ = 0;
  int messages_ = 0;
};

using Script = void (*)(Life&);

void prepare(Life& life) {
  life.worker().tick();  // ids are leased
  life.encoder.gop = 10;
}
void one_interruption(Life& life) {
  life.publish();
  life.media(2100);
  life.end();
  life.pass(3);
  life.publish();
  life.media(1500);
  life.end();
  life.pass(65);
}
void two_stops(Life& life) {
  life.publish();
  life.media(1500);
  life.stop();
  life.media(2300);
  life.start();
  life.media(3700);
  life.stop();
  life.media(4000);
  life.end();
  life.pass(3);
}

// How many steps the whole script has.
int count_steps(Script script, const std::function<void(Machine&)>& set_up) {
  Machine machine;
  set_up(machine);
  Life life(machine, 1 << 30);
  prepare(life);
  int steps = 0;
  // By bisection: the one number that needs no counter in the script.
  script(life);
  life.kill();
  for (int bit = 1 << 14; bit > 0; bit >>= 1) {
    Machine again;
    set_up(again);
    Life shorter(again, steps + bit);
    prepare(shorter);
    try {
      script(shorter);
    } catch (const Killed&) {
      steps += bit;
    }
  }
  return steps;
}

void recover(Machine& machine) {
  machine.disk.clear_faults();
  Worker worker(machine);
  worker.ticks(80);
  if (!worker.recordings().empty()) {
    std::fprintf(stderr, "state %d is left\n", static_cast<int>(worker.recordings()[0].state));
  }
  assert_int_equal(worker.recordings().size(), 0);
}

bool videos_are(Machine& machine, const HandedTracks& wanted) {
  recorder::PerKind<std::size_t> at{};
  const auto rows = ready_videos(machine);
  for (const auto& row : rows) {
    const Bytes file = file_of(machine, row);
    const Movie movie = read_movie(file);
    const std::size_t pictures = movie.samples[0].size(), packets = movie.samples[1].size();
    if (!movie.readable || at[0] + pictures > wanted[0].size() ||
        at[1] + packets > wanted[1].size()) {
      std::fprintf(stderr, "video %d of %zu has %zu+%zu samples, %zu+%zu are left\n",
                   static_cast<int>(&row - rows.data()), rows.size(), pictures, packets,
                   wanted[0].size() - at[0], wanted[1].size() - at[1]);
      return false;
    }
    if (!movie_is(file, range(wanted, at[0], at[0] + pictures, at[1], at[1] + packets))) {
      return false;
    }
    at[0] += pictures;
    at[1] += packets;
  }
  if (at[0] != wanted[0].size() || at[1] != wanted[1].size()) {
    std::fprintf(stderr, "%zu+%zu samples are missing\n", wanted[0].size() - at[0],
                 wanted[1].size() - at[1]);
    return false;
  }
  return true;
}

template <class Check>
void at_each_step(Script script, const std::function<void(Machine&)>& set_up, int stride,
                  Check check) {
  const int steps = count_steps(script, set_up);
  assert_true(steps > 100);
  for (int k = 0; k <= steps; k += stride) {
    Machine machine;
    set_up(machine);
    Life life(machine, k);
    prepare(life);
    try {
      script(life);
    } catch (const Killed&) {
    }
    life.kill();
    if (!check(machine, life)) {
      fail_msg("killed after step %d of %d", k, steps);
    }
  }
}

void rules_for_crashes(Machine& machine) {
  machine.rules.fragment_ms = 400;
  machine.rules.max_duration_ms = 0;
}

void kill_loses_nothing(void**) {
  at_each_step(one_interruption, rules_for_crashes, 1, [](Machine& machine, Life& life) {
    recover(machine);
    return ready_videos(machine).size() <= 1 && videos_are(machine, life.encoder.handed);
  });
}

void kill_loses_nothing_of_divided_recordings(void**) {
  at_each_step(
      one_interruption,
      [](Machine& machine) {
        rules_for_crashes(machine);
        machine.rules.max_duration_ms = 700;
      },
      1,
      [](Machine& machine, Life& life) {
        recover(machine);
        return videos_are(machine, life.encoder.handed);
      });
}

void kill_and_publish_again_is_one_video(void**) {
  at_each_step(one_interruption, rules_for_crashes, 5, [](Machine& machine, Life& life) {
    {
      Worker worker(machine);
      worker.tick();
      recorder::Session* session = worker.publish();
      life.encoder.connect(session, 70000000);
      publish_until(worker, life.encoder, 1000);
      worker.recorder().end(session, SessionEnd::kInterrupted);
      worker.settle();
    }
    recover(machine);
    return videos_are(machine, life.encoder.handed);
  });
}

// A second kill while the first is being recovered from.
void kill_in_the_middle_of_recovery_loses_nothing(void**) {
  at_each_step(one_interruption, rules_for_crashes, 37, [](Machine& machine, Life& life) {
    for (int k = 1; k < 12; ++k) {
      Worker worker(machine);
      machine.clock.advance(k < 4 ? 1000 : 30000);
      for (int i = 0; i < k; ++i) {
        worker.recorder().tick();
        worker.io.run_one();
        worker.io.finish_one();
        worker.finish_io.run_one();
        worker.finish_io.finish_one();
        worker.catalog_io.drain();
      }
    }
    recover(machine);
    return videos_are(machine, life.encoder.handed);
  });
}

void kill_between_stop_and_start_keeps_the_videos_apart(void**) {
  at_each_step(two_stops, rules_for_crashes, 1, [](Machine& machine, Life& life) {
    recover(machine);
    const auto& all = life.encoder.handed;
    const std::size_t size[] = {all[0].size(), all[1].size()};
    const auto rows = ready_videos(machine);
    const auto at = [&](std::size_t cut, std::size_t kind) {
      return cut < life.cuts.size() ? life.cuts[cut][kind] : size[kind];
    };
    const auto is_range = [&](const catalog::VideoRow& row, std::size_t earliest, std::size_t end) {
      const Bytes file = file_of(machine, row);
      const Movie movie = read_movie(file);
      const std::size_t n[] = {movie.samples[0].size(), movie.samples[1].size()};
      std::size_t from[2];
      for (std::size_t kind = 0; kind < 2; ++kind) {
        if (n[kind] > at(end, kind) ||
            at(end, kind) - n[kind] < (earliest == 9 ? 0 : at(earliest, kind))) {
          std::fprintf(stderr, "kind %zu: %zu samples, up to %zu\n", kind, n[kind], at(end, kind));
          return false;
        }
        from[kind] = at(end, kind) - n[kind];
        if (earliest == 9 && from[kind] != 0) {
          std::fprintf(stderr, "kind %zu: %zu are missing\n", kind, from[kind]);
          return false;
        }
      }
      return movie_is(file, range(all, from[0], at(end, 0), from[1], at(end, 1)));
    };
    if (rows.size() > 2 || (rows.empty() && size[0] + size[1] > 0)) {
      std::fprintf(stderr, "%zu videos\n", rows.size());
      return false;
    }
    return (rows.empty() || is_range(rows[0], 9, 0)) &&
           (rows.size() < 2 || is_range(rows[1], 0, 2));
  });
}

// The worker leaves as nginx makes it leave: queued jobs are run, none is finished.
void leaving_at_any_step_loses_nothing(void**) {
  const int steps = count_steps(one_interruption, rules_for_crashes);
  for (int k = 0; k <= steps; k += 3) {
    Machine machine;
    rules_for_crashes(machine);
    Life life(machine, k);
    prepare(life);
    try {
      one_interruption(life);
    } catch (const Killed&) {
    }
    life.worker().recorder().leave();
    life.worker().io.exit_process();
    life.worker().finish_io.exit_process();
    life.kill();
    recover(machine);
    if (!videos_are(machine, life.encoder.handed)) {
      fail_msg("left after step %d of %d", k, steps);
    }
  }
}

// Whether `got` is what was sent, but for a piece at the end that is shorter than two fragments.
bool is_prefix(Machine& machine, Life& life) {
  const auto rows = ready_videos(machine);
  const auto& all = life.encoder.handed;
  const std::uint32_t lost_ms = 900;
  if (rows.empty()) {
    return life.safe_ts < lost_ms;
  }
  const Bytes file = file_of(machine, rows[0]);
  const Movie movie = read_movie(file);
  if (rows.size() > 1 || !movie.readable) {
    return false;
  }
  const std::size_t n[] = {movie.samples[0].size(), movie.samples[1].size()};
  for (std::size_t kind = 0; kind < 2; ++kind) {
    if (n[kind] > all[kind].size()) {
      return false;
    }
    for (std::size_t i = n[kind]; i < all[kind].size(); ++i) {
      if (all[kind][i].ts + lost_ms < life.safe_ts) {
        std::fprintf(stderr, "kind %zu: %u ms are lost\n", kind, life.safe_ts - all[kind][i].ts);
        return false;
      }
    }
  }
  return movie_is(file, range(all, 0, n[0], 0, n[1]));
}

void one_publish(Life& life) {
  life.publish();
  life.media(2500);
  life.drain();
  life.end();
  life.pass(70);
}

void power_cut_loses_the_last_fragments_only(void**) {
  using Kind = PowerCut::Bytes;
  int nth = 0;
  for (const Kind kind : {Kind::kLost, Kind::kRandomPrefix, Kind::kHole, Kind::kRandomSectors}) {
    for (const bool keep_names : {false, true}) {
      at_each_step(
          one_publish,
          [](Machine& machine) {
            rules_for_crashes(machine);
            machine.rules.reconnect_window_ms = 2000;
          },
          7,
          [&](Machine& machine, Life& life) {
            PowerCut how;
            how.bytes = kind;
            how.keep_names = keep_names;
            how.seed = static_cast<std::uint32_t>(++nth);
            machine.disk.cut_power(how);
            machine.runtime.wipe();
            recover(machine);
            return is_prefix(machine, life);
          });
    }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(kill_loses_nothing),
      cmocka_unit_test(kill_loses_nothing_of_divided_recordings),
      cmocka_unit_test(kill_and_publish_again_is_one_video),
      cmocka_unit_test(kill_in_the_middle_of_recovery_loses_nothing),
      cmocka_unit_test(kill_between_stop_and_start_keeps_the_videos_apart),
      cmocka_unit_test(leaving_at_any_step_loses_nothing),
      cmocka_unit_test(power_cut_loses_the_last_fragments_only),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
