// Whatever the encoder's clock does, the file has the times of one that never jumps.
#include "recorder/timeline.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;

constexpr std::uint32_t kHour = 3'600'000;

recorder::Timeline timeline_of(const Machine& machine, const catalog::VideoRow& row) {
  MemFileSystem files;
  files.put("copy.mp4", file_of(machine, row));
  auto file = std::move(files.open_for_read("copy.mp4")).value();
  return std::move(recorder::read_timeline(*file, 0)).value();
}
std::string repairs_of(const Machine& machine, const catalog::VideoRow& row) {
  std::string text;
  for (const media::TimestampRepair& repair : timeline_of(machine, row).timestamp_repairs) {
    text += std::string(media::name_of(repair.kind)) + " " + std::to_string(repair.at_ms) + " x" +
            std::to_string(repair.count) + "\n";
  }
  return text;
}

struct Life {
  Life() : worker(std::make_unique<Worker>(machine)) { worker->tick(); }
  void publish(std::uint32_t from_ts = 0) {
    session = worker->publish();
    encoder.connect(session, from_ts);
  }
  void until(std::uint64_t ms) { publish_until(*worker, encoder, ms); }
  void crash() {
    worker.reset();
    worker = std::make_unique<Worker>(machine);
    worker->tick();
  }
  void end() {
    worker->recorder().end(session, SessionEnd::kInterrupted);
    worker->ticks(70);
  }

  Machine machine;
  std::unique_ptr<Worker> worker;
  Encoder encoder;
  recorder::Session* session = nullptr;
};

void a_jump_is_closed_and_listed(void**) {
  for (const std::uint32_t ahead : {5 * kHour, 0U - 3000U, 0x7FFFFFF0U, 0x80000010U}) {
    Life life;
    life.publish(4000);
    life.until(4000);
    life.encoder.clock_ahead = ahead;
    life.until(8000);
    life.worker->recorder().tick();
    assert_int_equal(life.worker->stream().timestamp_repairs.get(), 1);
    assert_int_equal(life.worker->recordings()[0].duration_ms.get() / 100, 79);
    life.end();
    const auto rows = ready_videos(life.machine);
    assert_int_equal(rows.size(), 1);
    assert_true(movie_is(file_of(life.machine, rows[0]), life.encoder.handed));
    const bool back = static_cast<std::int32_t>(ahead) < 0;
    assert_string_equal(repairs_of(life.machine, rows[0]).c_str(),
                        back ? "backward 4000 x1\n" : "forward_jump 4000 x1\n");
    assert_int_equal(rows[0].duration_ms / 100, 80);
    assert_int_equal(timeline_of(life.machine, rows[0]).interruptions.size(), 0);
    assert_int_equal(timeline_of(life.machine, rows[0]).stretches.size(), 1);
  }
}

// Killed anywhere around the jump: what the journal has is put where it belongs, and told of.
void a_kill_around_a_jump_changes_nothing(void**) {
  for (int steps = 0; steps < 120; steps += 3) {
    Life life;
    life.publish();
    life.until(2900);
    life.encoder.clock_ahead = 0U - 2000U;
    for (int i = 0; i < steps; ++i) {
      life.encoder.step();
      if (i % 50 == 49) {
        life.worker->settle();
      }
    }
    life.crash();
    life.worker->ticks(70);
    const auto rows = ready_videos(life.machine);
    assert_int_equal(rows.size(), 1);
    assert_true(movie_is(file_of(life.machine, rows[0]), life.encoder.handed));
    assert_string_equal(repairs_of(life.machine, rows[0]).c_str(),
                        steps == 0 ? "" : "backward 2901 x1\n");
  }
}

void each_session_has_its_clock(void**) {
  Life life;
  life.publish(kHour);
  life.until(3000);
  life.worker->recorder().end(life.session, SessionEnd::kInterrupted);
  life.worker->tick(2000);
  life.publish(20);  // another clock from the start: nothing to repair
  life.until(3000);
  life.encoder.clock_ahead = 2 * kHour;
  life.until(6000);
  life.end();
  const auto rows = ready_videos(life.machine);
  assert_int_equal(rows.size(), 1);
  assert_true(movie_is(file_of(life.machine, rows[0]), life.encoder.handed));
  const auto timeline = timeline_of(life.machine, rows[0]);
  assert_int_equal(timeline.timestamp_repairs.size(), 1);
  assert_true(std::abs(timeline.timestamp_repairs[0].at_ms - 6000) <= 45);
  assert_int_equal(timeline.interruptions.size(), 1);
}

void division_counts_what_was_recorded(void**) {
  for (const bool jumps : {false, true}) {
    Life life;
    life.machine.rules.max_duration_ms = 3000;
    life.publish();
    for (std::uint64_t ms = 1000; ms <= 12000; ms += 1000) {
      life.until(ms);
      if (jumps) {
        life.encoder.clock_ahead += ms % 2000 == 0 ? kHour : 0U - 7000U;
      }
    }
    life.end();
    const auto rows = ready_videos(life.machine);
    assert_int_equal(rows.size(), 4);
    std::size_t pictures = 0;
    for (const auto& row : rows) {
      assert_true(std::abs(row.duration_ms - 3000) <= 60);
      pictures += read_movie(file_of(life.machine, row)).samples[0].size();
    }
    assert_int_equal(pictures, life.encoder.handed[0].size());
  }
}

void a_pause_in_real_time_stays_in_the_video(void**) {
  Life life;
  life.publish();
  life.until(3000);
  life.machine.clock.advance(20000);
  life.encoder.clock_ahead = 20000;
  life.until(6000);
  life.end();
  const auto rows = ready_videos(life.machine);
  assert_int_equal(rows.size(), 1);
  assert_int_equal(rows[0].duration_ms / 100, 260);
  assert_string_equal(repairs_of(life.machine, rows[0]).c_str(), "");
}

// The same timestamp again and again, for a while: one entry a fragment.
void repairs_of_a_kind_are_counted(void**) {
  Life life;
  life.encoder.audio = false;
  life.publish();
  life.until(3000);
  for (int i = 0; i < 200; ++i) {
    life.encoder.picture(3000, i % 100 == 0);
    life.machine.clock.advance(10);
  }
  life.end();
  const auto rows = ready_videos(life.machine);
  assert_int_equal(rows.size(), 1);
  const auto repairs = timeline_of(life.machine, rows[0]).timestamp_repairs;
  std::uint32_t count = 0;
  for (const media::TimestampRepair& repair : repairs) {
    assert_true(repair.kind == media::RepairKind::kRepeated && repair.at_ms == 3000);
    count += repair.count;
  }
  assert_int_equal(count, 199);
  assert_true(repairs.size() <= 3);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_jump_is_closed_and_listed),
      cmocka_unit_test(a_kill_around_a_jump_changes_nothing),
      cmocka_unit_test(each_session_has_its_clock),
      cmocka_unit_test(division_counts_what_was_recorded),
      cmocka_unit_test(a_pause_in_real_time_stays_in_the_video),
      cmocka_unit_test(repairs_of_a_kind_are_counted),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
