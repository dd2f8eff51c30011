#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "media/sample_clock.hpp"
#include "media/track_config.hpp"

#include "cmocka.hpp"

namespace {

using recording::media::kVideoTimescale;
using recording::media::SampleClock;

constexpr std::int64_t kHour = 3'600'000;

// Feeds one clock, and notes what it does.
class Feed {
 public:
  Feed(std::uint32_t timescale, std::uint32_t declared)
      : clock(timescale, declared), timescale_(timescale) {}

  SampleClock::Time at(std::int64_t ms, std::int32_t cts_ms = 0) {
    const SampleClock::Time time = clock.next(ms, cts_ms);
    if (!first_) {
      ++samples;
      rising = rising && time.dts > last_;
      durations.insert(time.dts - last_);
      expected += time.dts - last_ == usual;
    }
    if (!time.moved) {
      const double error =
          std::abs(static_cast<double>(time.dts) * 1000.0 / timescale_ - static_cast<double>(ms));
      worst = std::max(worst, error);
    }
    repairs += time.moved || time.advanced;
    last_ = time.dts;
    first_ = false;
    return time;
  }

  SampleClock clock;
  std::int64_t usual = 0;  // the duration to count
  std::int64_t samples = 0, expected = 0, repairs = 0;
  std::set<std::int64_t> durations;
  double worst = 0;  // ms between what was received and dts
  bool rising = true;

 private:
  std::uint32_t timescale_;
  bool first_ = true;
  std::int64_t last_ = 0;
};

struct Rate {
  std::int64_t num, den;
  std::uint32_t ticks;
};
const std::vector<Rate> kRates = {
    {24000, 1001, 5005},  {24, 1, 5000},  {25, 1, 4800},       {30000, 1001, 4004}, {30, 1, 4000},
    {48, 1, 2500},        {50, 1, 2400},  {60000, 1001, 2002}, {60, 1, 2000},       {25, 2, 9600},
    {15000, 1001, 8008},  {12, 1, 10000}, {15, 1, 8000},       {10, 1, 12000},      {20, 1, 6000},
    {12000, 1001, 10010}, {100, 1, 1200}, {120, 1, 1000}};

enum class Rounding { kNearest, kDown };

// Milliseconds that an encoder sends for frame n, its clock `phase` ms off whole milliseconds.
std::int64_t sent(std::int64_t n, const Rate& rate, double phase, Rounding rounding) {
  const double exact = static_cast<double>(n) * 1000.0 * static_cast<double>(rate.den) /
                           static_cast<double>(rate.num) +
                       phase + (rounding == Rounding::kNearest ? 0.5 : 0.0);
  return static_cast<std::int64_t>(std::floor(exact + 1e-7));
}

Feed an_hour(const Rate& rate, std::uint32_t timescale, std::uint32_t declared, double phase,
             Rounding rounding) {
  Feed feed(timescale, declared);
  feed.usual = rate.ticks;
  const std::int64_t frames = 3600 * rate.num / rate.den;
  for (std::int64_t n = 0; n < frames; ++n) {
    feed.at(sent(n, rate, phase, rounding));
  }
  return feed;
}

void check(const Feed& feed, const Rate& rate, double share) {
  const double got = static_cast<double>(feed.expected) / static_cast<double>(feed.samples);
  if (got < share || feed.worst > 1.0001) {
    std::printf("%lld/%lld: %.5f usual, %zu durations, %.3f ms off\n",
                static_cast<long long>(rate.num), static_cast<long long>(rate.den), got,
                feed.durations.size(), feed.worst);
  }
  assert_true(got >= share);
  assert_true(feed.worst <= 1.0001);
  assert_true(feed.rising);
  assert_true(feed.repairs == 0);
  assert_int_equal(feed.clock.expected_duration(), rate.ticks);
}

void puts_declared_rates_on_an_exact_grid(void**) {
  for (const Rate& rate : kRates) {
    for (const Rounding rounding : {Rounding::kNearest, Rounding::kDown}) {
      for (const double phase : {0.0, 0.3, 0.5, 0.97}) {
        const Feed feed = an_hour(rate, kVideoTimescale, rate.ticks, phase, rounding);
        check(feed, rate, 0.999);
        assert_true(feed.durations.size() <= 4);
      }
    }
  }
}

void learns_standard_rates(void**) {
  for (const Rate& rate : kRates) {
    for (const Rounding rounding : {Rounding::kNearest, Rounding::kDown}) {
      for (const double phase : {0.0, 0.3, 0.97}) {
        check(an_hour(rate, kVideoTimescale, 0, phase, rounding), rate, 0.99);
      }
    }
  }
}

void learns_a_standard_rate_within_a_second(void**) {
  for (const Rate& rate : kRates) {
    Feed feed(kVideoTimescale, 0);
    const std::int64_t frames = std::max<std::int64_t>(rate.num / rate.den, 16);
    for (std::int64_t n = 0; n < frames; ++n) {
      feed.at(sent(n, rate, 0.3, Rounding::kNearest));
    }
    const double off = std::abs(feed.clock.expected_duration() / double{1} - rate.ticks);
    assert_true(off / rate.ticks < 0.0015);  // 30 and 29.97 need longer to be told apart
  }
}

void unlearns_a_wrong_declaration(void**) {
  for (const Rate& rate : kRates) {
    for (const std::uint32_t wrong : {4000U, 4800U, 5005U, 2002U, 1000U, 120U, 90000U}) {
      Feed feed = an_hour(rate, kVideoTimescale, wrong, 0.3, Rounding::kNearest);
      check(feed, rate, 0.99);
    }
  }
}

void keeps_an_odd_rate_within_a_millisecond(void**) {
  for (const std::int64_t fps : {7, 18, 22, 90, 144}) {
    const Rate rate{fps, 1, static_cast<std::uint32_t>((kVideoTimescale + fps / 2) / fps)};
    check(an_hour(rate, kVideoTimescale, 0, 0.3, Rounding::kNearest), rate, 0.98);
  }
}

void puts_audio_frames_on_an_exact_grid(void**) {
  for (const std::uint32_t hz : {48000U, 44100U, 32000U, 22050U}) {
    for (const Rounding rounding : {Rounding::kNearest, Rounding::kDown}) {
      for (const double phase : {0.0, 0.4, 0.99}) {
        const Rate rate{hz, 1024, 1024};
        const Feed feed = an_hour(rate, hz, 1024, phase, rounding);
        check(feed, rate, 0.999);
        assert_true(feed.durations.size() <= 6);
      }
    }
  }
}

// Sample clocks of capture cards are tens of ppm off the computer's clock.
void follows_a_drifting_encoder(void**) {
  Feed feed(48000, 1024);
  feed.usual = 1024;
  for (std::int64_t n = 0; n < 4 * 168'750; ++n) {
    feed.at(static_cast<std::int64_t>(std::floor(static_cast<double>(n) * 1024 / 48 * 1.00006)));
  }
  assert_true(feed.worst <= 1.0001);
  assert_true(static_cast<double>(feed.expected) >= 0.99 * static_cast<double>(feed.samples));
  assert_int_equal(feed.clock.expected_duration(), 1024);
}

void tolerates_noise_of_one_and_a_half_milliseconds(void**) {
  std::mt19937 random(7);
  Feed feed(kVideoTimescale, 4800);
  feed.usual = 4800;
  for (std::int64_t n = 0; n < 50'000; ++n) {
    feed.at(1000 + n * 40 + static_cast<std::int64_t>(random() % 4) - 1);
  }
  assert_true(feed.worst > 1.0001);  // else this tests nothing
  assert_true(feed.worst <= 1.5001);
  assert_true(static_cast<double>(feed.expected) >= 0.99 * static_cast<double>(feed.samples));
  assert_int_equal(feed.clock.expected_duration(), 4800);
}

void follows_a_change_of_rate(void**) {
  Feed feed(kVideoTimescale, 4000);
  std::int64_t ms = 0;
  for (int n = 0; n < 3000; ++n) {
    ms = sent(n, {30, 1, 4000}, 0, Rounding::kNearest);
    feed.at(ms);
  }
  assert_int_equal(feed.clock.expected_duration(), 4000);
  for (int n = 1; n < 60; ++n) {
    feed.at(ms + n * 40);
  }
  assert_int_equal(feed.clock.expected_duration(), 4800);
  assert_true(feed.worst <= 1.0001);
  assert_true(feed.rising);
}

void variable_frame_rate_keeps_received_times(void**) {
  std::mt19937 random(3);
  for (const std::uint32_t declared : {0U, 4000U}) {
    Feed feed(kVideoTimescale, declared);
    std::int64_t ms = 500;
    for (int n = 0; n < 200'000; ++n) {
      feed.at(ms);
      ms += 5 + static_cast<std::int64_t>(random() % 90);
    }
    assert_true(feed.worst <= 1.0001);
    assert_true(feed.rising);
    assert_true(feed.repairs == 0);
  }
}

void keeps_the_grid_across_dropped_frames(void**) {
  Feed feed(kVideoTimescale, 4004);
  std::mt19937 random(5);
  bool on_grid = true;
  for (std::int64_t n = 0; n < 100'000; n += random() % 10 == 0 ? 3 : 1) {
    on_grid = feed.at(sent(n, {30000, 1001, 4004}, 0, Rounding::kDown)).dts % 4004 == 0 && on_grid;
  }
  assert_true(on_grid);
  assert_int_equal(feed.clock.expected_duration(), 4004);
}

void snaps_composition_times_of_b_frames(void**) {
  const Rate rate{30000, 1001, 4004};
  const int order[] = {2, 5, 2, 0, 1};  // frames by which each is shown late: I P B b b …
  Feed feed(kVideoTimescale, 4004);
  bool exact = true;
  for (std::int64_t n = 0; n < 100'000; ++n) {
    const std::int64_t late = order[n % 5];
    const auto cts = static_cast<std::int32_t>(sent(n + late, rate, 0, Rounding::kNearest) -
                                               sent(n, rate, 0, Rounding::kNearest));
    exact = feed.at(sent(n, rate, 0, Rounding::kNearest), cts).cts == late * 4004 && exact;
  }
  assert_true(exact);
}

void keeps_composition_times_that_are_off_the_grid(void**) {
  Feed feed(kVideoTimescale, 4800);
  feed.at(0);
  assert_int_equal(feed.at(40, 50).cts, 6000);  // 50 ms is no multiple of 40
  assert_int_equal(feed.at(97, 81).cts, 9720);  // 97 ms is not on the grid
}

// What is shown when stays as it was; decoding comes before.
void negative_composition_times_advance_the_decoding(void**) {
  Feed feed(kVideoTimescale, 4800);
  feed.at(0, 120);
  assert_false(feed.at(40, 0).advanced);
  SampleClock::Time time = feed.at(80, -40);
  assert_true(time.advanced && !time.moved);
  assert_int_equal(time.dts, 4801);
  assert_int_equal(time.cts, 0);
  time = feed.at(120, -80);  // more still
  assert_true(time.advanced);
  assert_int_equal(time.dts, 4802);
  time = feed.at(160, -80);
  assert_false(time.advanced || time.moved);
  assert_true(time.dts == 9600 && time.cts == 0);
  time = feed.at(200, 120);
  assert_true(time.dts == 120 * 120 && time.cts == 200 * 120);
}

void absurd_composition_times_advance_nothing(void**) {
  Feed feed(kVideoTimescale, 4800);
  feed.at(0, 0);
  SampleClock::Time time = feed.at(40, -5000);
  assert_true(time.advanced);
  assert_true(time.dts == 4800 && time.cts == 0);
  assert_int_equal(feed.at(80, 0).dts, 9600);
}

void moves_repeated_timestamps_by_one_tick(void**) {
  Feed feed(kVideoTimescale, 4800);
  const std::int64_t first = feed.at(1000).dts;
  const SampleClock::Time again = feed.at(1000);
  assert_true(again.moved);
  assert_true(again.dts == first + 1);
  const SampleClock::Time next = feed.at(1040);
  assert_false(next.moved);
  assert_true(next.dts == first + 4800);
}

void goes_on_rising_when_the_time_goes_back(void**) {
  Feed feed(kVideoTimescale, 4800);
  feed.at(10'000);
  const std::int64_t high = feed.at(10'040).dts;
  for (int n = 1; n <= 20; ++n) {
    const SampleClock::Time time = feed.at(5000 + n * 40);
    assert_true(time.moved);
    assert_true(time.dts == high + n);
  }
  const SampleClock::Time ahead = feed.at(12'000);
  assert_false(ahead.moved);
  assert_true(ahead.dts == 12'000 * 120);
}

void a_forward_jump_keeps_the_received_time_and_the_rate(void**) {
  Feed feed(kVideoTimescale, 4800);
  for (int n = 0; n < 100; ++n) {
    feed.at(n * 40);
  }
  assert_true(feed.at(kHour + 13).dts == (kHour + 13) * 120);
  assert_true(feed.at(kHour + 53).dts == (kHour + 53) * 120);
  assert_int_equal(feed.clock.expected_duration(), 4800);
}

// Whatever a publisher sends: rising, no overflow (run under UBSan), near the received time.
void survives_random_timestamps(void**) {
  std::mt19937_64 random(11);
  for (const std::uint32_t timescale : {120'000U, 192'000U, 7350U, 0U, 0xFFFFFFFFU}) {
    for (const std::uint32_t declared : {0U, 1024U, 1U, 0xFFFFFFFFU}) {
      SampleClock clock(timescale, declared);
      std::int64_t ms = 0;
      std::int64_t last = std::numeric_limits<std::int64_t>::min();
      bool rising = true;
      for (int n = 0; n < 100'000; ++n) {
        ms += random() % 4 == 0 ? static_cast<std::int32_t>(random()) : 33;
        const SampleClock::Time time = clock.next(ms, static_cast<std::int32_t>(random()));
        rising = rising && time.dts > last;
        last = time.dts;
      }
      assert_true(rising);
      assert_true(clock.expected_duration() > 0);
    }
  }
}

void predicts_something_before_it_knows(void**) {
  SampleClock unknown(kVideoTimescale, 0);
  assert_true(unknown.expected_duration() > 0);
  Feed feed(kVideoTimescale, 0);
  feed.at(0);
  feed.at(70);
  assert_int_equal(feed.clock.expected_duration(), 70 * 120);
  assert_int_equal(SampleClock(48000, 1024).expected_duration(), 1024);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(puts_declared_rates_on_an_exact_grid),
      cmocka_unit_test(learns_standard_rates),
      cmocka_unit_test(learns_a_standard_rate_within_a_second),
      cmocka_unit_test(unlearns_a_wrong_declaration),
      cmocka_unit_test(keeps_an_odd_rate_within_a_millisecond),
      cmocka_unit_test(puts_audio_frames_on_an_exact_grid),
      cmocka_unit_test(follows_a_drifting_encoder),
      cmocka_unit_test(tolerates_noise_of_one_and_a_half_milliseconds),
      cmocka_unit_test(follows_a_change_of_rate),
      cmocka_unit_test(variable_frame_rate_keeps_received_times),
      cmocka_unit_test(keeps_the_grid_across_dropped_frames),
      cmocka_unit_test(snaps_composition_times_of_b_frames),
      cmocka_unit_test(keeps_composition_times_that_are_off_the_grid),
      cmocka_unit_test(negative_composition_times_advance_the_decoding),
      cmocka_unit_test(absurd_composition_times_advance_nothing),
      cmocka_unit_test(moves_repeated_timestamps_by_one_tick),
      cmocka_unit_test(goes_on_rising_when_the_time_goes_back),
      cmocka_unit_test(a_forward_jump_keeps_the_received_time_and_the_rate),
      cmocka_unit_test(survives_random_timestamps),
      cmocka_unit_test(predicts_something_before_it_knows),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
