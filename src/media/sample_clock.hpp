#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace recording::media {

// Turns the 32-bit millisecond timestamps of one track of one session into a monotonic timeline
// in the track's own ticks.
//
// Encoders round exact frame times to milliseconds; we undo that: while the received time stays
// within a tolerance (1 ms, 1.5 ms for an encoder that keeps missing it) of a constant frame
// duration, the sample is put on the exact grid, so that durations compress to one entry. When it
// drifts out, the grid is moved once, to the middle of the latest received times. When no such grid
// fits them, the received time itself is used and the grid starts anew from there.
// The frame duration is `declared` (ticks; 0: unknown) or learned from the running average, snapped
// to a standard rate (23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60 and their halves, 10, 12, 15,
// 20, 100, 120) where one fits the average. A declared one that does not fit is unlearned. A wrap
// of 2^32 is unwound. A time not later than the track's last one is moved to one tick after it and
// reported as `repaired`; jumps are left to the caller, which sees them in `ms`. Event loop only;
// allocates nothing.
class SampleClock {
 public:
  struct Time {
    std::int64_t ms;    // received, unwound; may be behind earlier ones
    std::int64_t dts;   // ticks, strictly increasing
    std::uint32_t cts;  // ticks, never negative
    bool repaired;      // dts was moved, or cts was negative
  };

  // `timescale` ticks a second, at most 262144. `declared_duration`: ticks a sample is said to
  // last, 0 unknown.
  SampleClock(std::uint32_t timescale, std::uint32_t declared_duration);

  // The 32 bits are unwound to the time nearest to `reference_ms`: the session's last unwound time,
  // of whichever track, so that both tracks of a session agree across a wrap. The first sample of a
  // session passes its own timestamp. dts of the first sample is its unwound ms in ticks: clocks of
  // several tracks (and of one track before and after a change of timescale) share one zero.
  Time next(std::uint32_t timestamp_ms, std::int32_t cts_ms, std::int64_t reference_ms);

  // What the next sample is expected to last; the duration of a last sample whose follower is
  // unknown.
  [[nodiscard]] std::uint32_t expected_duration() const;

 private:
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
  [[nodiscard]] std::uint32_t composition(std::int32_t cts_ms, bool& repaired) const;

  std::int64_t timescale_;
  std::int64_t declared_;
  std::int64_t frame_duration_;  // of the grid; 0: there is none, times are used as received
  std::int64_t grid_ = 0;        // where the last sample is on the grid, ticks
  std::int64_t last_dts_ = 0;    // what was given out; ahead of grid_ after a repair
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
