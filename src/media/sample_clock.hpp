#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace recording::media {

// Puts the times of one track of one session, in milliseconds, on a rising timeline in the track's
// own ticks. SessionClock has made whole milliseconds of what was received, and closed its jumps.
//
// Encoders round exact frame times to milliseconds; we undo that: while the received time stays
// within a tolerance (1 ms, 1.5 ms for an encoder that keeps missing it) of a constant frame
// duration, the sample is put on the exact grid, so that durations compress to one entry. When it
// drifts out, the grid is moved once, to the middle of the latest received times. When no such grid
// fits them, the received time itself is used and the grid starts anew from there.
// The frame duration is `declared` (ticks; 0: unknown) or learned from the running average, snapped
// to a standard rate (23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60 and their halves, 10, 12, 15,
// 20, 100, 120) where one fits the average. A declared one that does not fit is unlearned.
// A time not later than the track's last one is moved to one tick after it (`moved`). An encoder
// that wants pictures shown before their timestamp (a negative composition time) has all of them
// decoded that much earlier from then on (`advanced`), for a file cannot tell negative ones: what
// is shown when does not change. Event loop only; allocates nothing.
class SampleClock {
 public:
  struct Time {
    std::int64_t dts;   // ticks, strictly increasing
    std::uint32_t cts;  // ticks, never negative
    bool moved;         // it was not later than the last one
    bool advanced;      // a composition time more negative than those before
  };

  // `timescale` ticks a second, at most 262144. `declared_duration`: ticks a sample is said to
  // last, 0 unknown.
  SampleClock(std::uint32_t timescale, std::uint32_t declared_duration);

  // dts of the first sample is its time in ticks: clocks of several tracks (and of one track before
  // and after a change of timescale) share one zero.
  Time next(std::int64_t ms, std::int32_t cts_ms);

  // When the next sample is expected, ms. After the first one.
  [[nodiscard]] std::int64_t next_ms() const;
  // What the next sample is expected to last; the duration of a last sample whose follower is
  // unknown.
  [[nodiscard]] std::uint32_t expected_duration() const;

 private:
  static constexpr std::int64_t kLongAgo = std::numeric_limits<std::int64_t>::min() / 2;
  // A sample that was received: when, and its number in the grid (a dropped frame counts).
  struct Seen {
    std::int64_t ms;
    std::int64_t frame;
  };
  // Bounds of (received time - frame number * frame duration), in 1/1000 ticks.
  struct Envelope {
    std::int64_t low, high;
    [[nodiscard]] std::int64_t spread() const { return high - low; }
  };
  static constexpr std::size_t kSeen = 32;

  // Times are compared in 1/1000 ticks: both a tick and a millisecond are whole numbers of them.
  [[nodiscard]] std::int64_t milliticks(std::int64_t ms) const { return ms * timescale_; }
  [[nodiscard]] std::int64_t tolerance() const { return noisy_ ? timescale_ * 3 / 2 : timescale_; }
  [[nodiscard]] const Seen& oldest() const { return seen_[(next_seen_ - seen_count_) % kSeen]; }
  [[nodiscard]] const Seen& newest() const { return seen_[(next_seen_ - 1) % kSeen]; }

  [[nodiscard]] bool is_plausible(std::int64_t duration) const;
  std::int64_t follow_grid(std::int64_t ms);
  std::int64_t miss(std::int64_t ms, std::int64_t frames);
  std::int64_t start_anew(std::int64_t ms);
  std::int64_t learn(std::int64_t ms);
  bool lay_grid(const Seen& from);
  void see(std::int64_t ms, std::int64_t frames);
  void adopt_multiple(std::int64_t frames);
  [[nodiscard]] Envelope envelope(std::int64_t frame_duration) const;
  [[nodiscard]] std::int64_t centred(std::int64_t frame_duration) const;
  [[nodiscard]] std::int64_t fitting_duration(const Seen& from) const;
  [[nodiscard]] std::int64_t composition(std::int32_t cts_ms) const;

  std::int64_t timescale_;
  std::int64_t declared_;
  std::int64_t frame_duration_;       // of the grid; 0: there is none, times are used as received
  std::int64_t grid_ = 0;             // where the last sample is on the grid, ticks
  std::int64_t last_at_ = kLongAgo;   // the last sample's timestamp; ahead of grid_ when moved
  std::int64_t last_dts_ = kLongAgo;  // what was given out
  std::int64_t early_ = 0;            // decoded before its timestamp by that much
  bool started_ = false;
  bool noisy_ = false;
  bool on_grid_ = false;           // the last sample
  int misses_ = 0;                 // rises with each, decays with each sample that fits
  std::int64_t repeated_gap_ = 1;  // frames between the last samples, if always the same …
  int repeats_ = 0;                // … and how often
  std::int64_t since_learning_ = 0;
  std::array<Seen, kSeen> seen_{};  // the latest, since the grid last started anew
  std::size_t seen_count_ = 0, next_seen_ = 0;
  Seen base_{};  // the first since the grid last started anew
};

}  // namespace recording::media
