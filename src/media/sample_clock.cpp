#include "media/sample_clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace recording::media {
namespace {

struct Rate {
  std::int64_t num, den;  // frames, seconds
};
constexpr std::array<Rate, 18> kStandardRates{{{24000, 1001},
                                               {24, 1},
                                               {25, 1},
                                               {30000, 1001},
                                               {30, 1},
                                               {48, 1},
                                               {50, 1},
                                               {60000, 1001},
                                               {60, 1},
                                               {12000, 1001},
                                               {12, 1},
                                               {25, 2},
                                               {15000, 1001},
                                               {15, 1},
                                               {10, 1},
                                               {20, 1},
                                               {100, 1},
                                               {120, 1}}};

// A shorter frame would lie within the tolerance of any time; a longer one is not worth predicting.
constexpr std::int64_t kShortestFrameMs = 3;
constexpr std::int64_t kLongestFrameMs = 4000;
// Timestamps that jump on purpose stop counting after 278 years, before any product overflows.
constexpr std::int64_t kMostMs = std::int64_t{1} << 43;
constexpr std::int64_t kMostTimescale = std::int64_t{1} << 18;
// A gap of more frames is not counted in frames.
constexpr std::int64_t kMostDropped = 64;
// So many equal gaps of several frames in a row: the frames are that long.
constexpr int kEqualGaps = 8;
// Samples looked at before a grid is first laid through them, and before one of an odd rate is.
constexpr std::size_t kEnoughToSnap = 9;
constexpr std::size_t kEnoughForOdd = 17;
constexpr std::int64_t kLearningInterval = 4;
// A composition time that is more negative is no order of pictures.
constexpr std::int64_t kMostEarlyMs = 1000;
// misses_: weight of one, what an encoder found noisy begins with, and where the duration counts as
// wrong
constexpr int kMissWeight = 32;
constexpr int kNoisy = 3 * kMissWeight;
constexpr int kWrong = 5 * kMissWeight;

std::int64_t divide_rounded(std::int64_t value, std::int64_t by) {  // by > 0; halves go up
  const std::int64_t sum = value + by / 2;
  return sum / by - (sum % by < 0 ? 1 : 0);
}

}  // namespace

SampleClock::SampleClock(std::uint32_t timescale, std::uint32_t declared_duration)
    : timescale_(std::clamp<std::int64_t>(timescale, 1, kMostTimescale)),
      declared_(is_plausible(declared_duration) ? declared_duration : 0),
      frame_duration_(declared_) {}

bool SampleClock::is_plausible(std::int64_t duration) const {
  return duration * 1000 >= milliticks(kShortestFrameMs) &&
         duration * 1000 <= milliticks(kLongestFrameMs);
}

SampleClock::Time SampleClock::next(std::int64_t ms, std::int32_t cts_ms) {
  ms = std::clamp(ms, -kMostMs, kMostMs);
  std::int64_t at = 0;
  if (!started_) {
    at = start_anew(ms);
    started_ = true;
    on_grid_ = frame_duration_ != 0;
  } else {
    at = frame_duration_ != 0 ? follow_grid(ms) : learn(ms);
  }
  Time time{};
  time.moved = at <= last_at_;
  last_at_ = std::max(at, last_at_ + 1);
  const std::int64_t shown = last_at_ + composition(cts_ms);
  if (const std::int64_t early = last_at_ - shown; early > early_) {
    time.advanced = true;
    early_ = early * 1000 <= milliticks(kMostEarlyMs) ? early : early_;
  }
  time.dts = std::max(last_at_ - early_, last_dts_ + 1);
  time.cts = static_cast<std::uint32_t>(std::max<std::int64_t>(shown - time.dts, 0));
  last_dts_ = time.dts;
  return time;
}

std::int64_t SampleClock::follow_grid(std::int64_t ms) {
  std::int64_t frames = 1;
  std::int64_t at = grid_ + frame_duration_;
  std::int64_t error = at * 1000 - milliticks(ms);
  if (std::abs(error) > tolerance()) {
    const std::int64_t gap = milliticks(ms) - grid_ * 1000;
    frames = std::clamp(divide_rounded(gap, frame_duration_ * 1000), std::int64_t{1}, kMostDropped);
    at = grid_ + frames * frame_duration_;
    error = at * 1000 - milliticks(ms);
    if (std::abs(error) > tolerance()) {
      return miss(ms, frames);
    }
  }
  see(ms, frames);
  grid_ = at;
  on_grid_ = true;
  if (std::abs(error) <= timescale_) {
    misses_ = std::max(misses_ - 1, 0);
  }
  noisy_ = noisy_ && misses_ > 0;
  adopt_multiple(frames);
  return at;
}

// A declared field rate, or half of the frames gone for good: the grid is finer than the samples.
void SampleClock::adopt_multiple(std::int64_t frames) {
  repeats_ = frames == repeated_gap_ ? repeats_ + 1 : 1;
  repeated_gap_ = frames;
  if (frames == 1 || repeats_ < kEqualGaps) {
    return;
  }
  frame_duration_ *= frames;
  repeated_gap_ = 1;
  seen_count_ = 0;
  see(newest().ms, 1);
  base_ = newest();
}

// The received time is off the grid: the grid is moved, another duration explains what was seen, or
// there is a gap in it.
std::int64_t SampleClock::miss(std::int64_t ms, std::int64_t frames) {
  see(ms, frames);
  if (lay_grid(base_)) {
    return grid_;
  }
  misses_ += kMissWeight;
  if (misses_ >= kWrong) {
    misses_ = 0;
    noisy_ = false;
    frame_duration_ = 0;
  }
  return start_anew(ms);
}

std::int64_t SampleClock::start_anew(std::int64_t ms) {
  seen_count_ = 0;
  see(ms, 1);
  base_ = newest();
  repeats_ = 0;
  since_learning_ = 0;
  grid_ = divide_rounded(milliticks(ms), 1000);
  on_grid_ = false;
  return grid_;
}

// No grid yet: use what is received, and try to lay one through it now and then.
std::int64_t SampleClock::learn(std::int64_t ms) {
  see(ms, 1);
  grid_ = divide_rounded(milliticks(ms), 1000);
  on_grid_ = false;
  if (seen_count_ < kEnoughToSnap || ++since_learning_ % kLearningInterval != 0) {
    return grid_;
  }
  if (lay_grid(oldest())) {
    base_ = oldest();
    repeats_ = 0;
  }
  return grid_;
}

// Lays a grid through what was seen, if one fits. Only a full ring shows that an encoder is noisy
// and not of variable frame rate.
bool SampleClock::lay_grid(const Seen& from) {
  const bool was_noisy = noisy_;
  for (const bool noisy : {false, true}) {
    if (noisy && !was_noisy && seen_count_ < kSeen) {
      break;
    }
    noisy_ = noisy;
    if (const std::int64_t duration = fitting_duration(from); duration != 0) {
      frame_duration_ = duration;
      misses_ = noisy ? kNoisy : misses_;
      grid_ = centred(duration);
      on_grid_ = true;
      return true;
    }
  }
  noisy_ = was_noisy;
  return false;
}

void SampleClock::see(std::int64_t ms, std::int64_t frames) {
  const std::int64_t frame = (seen_count_ == 0 ? 0 : newest().frame) + frames;
  seen_[next_seen_++ % kSeen] = {ms, frame};
  seen_count_ = std::min(seen_count_ + 1, kSeen);
}

SampleClock::Envelope SampleClock::envelope(std::int64_t frame_duration) const {
  Envelope all{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  for (std::size_t back = 1; back <= seen_count_; ++back) {
    const Seen& seen = seen_[(next_seen_ - back) % kSeen];
    const std::int64_t rest = milliticks(seen.ms) - seen.frame * frame_duration * 1000;
    all.low = std::min(all.low, rest);
    all.high = std::max(all.high, rest);
  }
  return all;
}

// Where the newest sample is on the grid that runs through the middle of what was seen.
std::int64_t SampleClock::centred(std::int64_t frame_duration) const {
  const Envelope all = envelope(frame_duration);
  const std::int64_t middle = all.low + all.spread() / 2 + newest().frame * frame_duration * 1000;
  const std::int64_t received = milliticks(newest().ms);
  const std::int64_t earliest = divide_rounded(received - tolerance() + 499, 1000);
  const std::int64_t latest = divide_rounded(received + tolerance() - 500, 1000);
  return std::clamp(divide_rounded(middle, 1000), earliest, std::max(earliest, latest));
}

// The frame duration that the average since `from` allows and the latest samples keep to: the
// present one, the declared one, a standard one, or the average itself; 0 if none. Both ends of the
// stretch are known to the tolerance only, so a long one tells 30 from 29.97 and a short one does
// not.
std::int64_t SampleClock::fitting_duration(const Seen& from) const {
  const std::int64_t frames = newest().frame - from.frame;
  if (frames <= 0) {
    return 0;
  }
  const std::int64_t time = milliticks(newest().ms - from.ms);
  const std::int64_t margin = 2 * tolerance();
  const auto distance = [&](std::int64_t duration) {
    return std::abs(frames * duration * 1000 - time);
  };
  const auto fits = [&](std::int64_t duration) {
    return duration != 0 && distance(duration) <= margin && envelope(duration).spread() <= margin;
  };
  for (const std::int64_t duration : {frame_duration_, declared_}) {
    if (fits(duration)) {
      return duration;
    }
  }
  if (seen_count_ < kEnoughToSnap) {
    return 0;
  }
  std::int64_t best = 0;
  for (const Rate& rate : kStandardRates) {
    const std::int64_t duration = divide_rounded(timescale_ * rate.den, rate.num);
    if ((best == 0 || distance(duration) < distance(best)) && fits(duration)) {
      best = duration;
    }
  }
  if (best == 0 && seen_count_ >= kEnoughForOdd) {
    const std::int64_t average = divide_rounded(time, frames * 1000);
    best = is_plausible(average) && fits(average) ? average : 0;
  }
  return best;
}

std::int64_t SampleClock::composition(std::int32_t cts_ms) const {
  const std::int64_t exact = milliticks(cts_ms);
  if (on_grid_) {
    const std::int64_t snapped = divide_rounded(exact, frame_duration_ * 1000) * frame_duration_;
    if (std::abs(snapped * 1000 - exact) <= tolerance()) {
      return snapped;
    }
  }
  return divide_rounded(exact, 1000);
}

std::int64_t SampleClock::next_ms() const {
  return divide_rounded((std::max(grid_, last_at_) + expected_duration()) * 1000, timescale_);
}

std::uint32_t SampleClock::expected_duration() const {
  if (frame_duration_ != 0) {
    return static_cast<std::uint32_t>(frame_duration_);
  }
  if (seen_count_ > 1) {
    const std::int64_t span = milliticks(newest().ms - oldest().ms);
    const std::int64_t frames = newest().frame - oldest().frame;
    const std::int64_t average = divide_rounded(span, frames * 1000);
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(average, 1, std::numeric_limits<std::uint32_t>::max()));
  }
  return static_cast<std::uint32_t>(std::max<std::int64_t>(timescale_ / 25, 1));
}

}  // namespace recording::media
