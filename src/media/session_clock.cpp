#include "media/session_clock.hpp"

#include <algorithm>
#include <utility>

namespace recording::media {
namespace {

// Behind the track's last sample by more: another clock. Pictures that are sent by presentation
// time, as some encoders do, go back by a few frames; clocks that are noisy do, too.
constexpr std::int64_t kBackMs = 250;
// Ahead of all that is known by more: another clock.
constexpr std::int64_t kLongestStepMs = 10000;
// A session that lags behind real time may make good for so much at once.
constexpr std::int64_t kCatchUpMs = 60000;
// How long a track is given to follow the other one's jump: the tracks of an encoder are
// interleaved more tightly.
constexpr std::int64_t kCompareMs = 10000;
// What nobody sees or hears of sound against picture.
constexpr std::int64_t kSlackMs = 40;
// A track that rested for longer while the other went on goes on beside it.
constexpr std::int64_t kRestMs = 500;
// A clock that has not been steady for so long is noisy, and is not followed in small steps.
constexpr std::int64_t kSteadyMs = 1000;
// A clock that begins anew begins not later.
constexpr std::int64_t kResetMs = 500;

RepairKind jump_kind(std::int64_t timestamp, std::int64_t closed_by_ms) {
  if (timestamp <= kResetMs) {
    return RepairKind::kReset;
  }
  return closed_by_ms > 0 ? RepairKind::kBackward : RepairKind::kForwardJump;
}

}  // namespace

void SessionClock::describe(TrackKind kind, std::uint32_t timescale,
                            std::uint32_t declared_duration) {
  Track& it = track(kind);
  if (!it.samples || it.timescale != timescale) {
    it.timescale = timescale;
    it.samples.emplace(timescale, declared_duration);
    it.has_next = false;
  }
}

std::uint32_t SessionClock::expected_duration(TrackKind kind) const {
  const Track& it = tracks_[static_cast<std::size_t>(kind)];
  return it.samples ? it.samples->expected_duration() : 0;
}

std::int64_t SessionClock::next_of(const Track& it) const {
  return it.has_next ? it.samples->next_ms() : it.last_ms;
}

SessionClock::Expected SessionClock::expected(const Track& it) const {
  const std::int64_t next = it.started ? next_of(it) : latest_ms_;
  return {next, std::max(next, latest_ms_)};
}

std::int64_t SessionClock::latest_possible(std::int64_t now_ms) const {
  return now_ms + std::min(lead_ms_, latest_ms_ - arrived_ms_ + kCatchUpMs) + kLongestStepMs;
}

bool SessionClock::jumps(TrackKind kind, std::int64_t ms, std::int64_t now_ms) const {
  const Track& it = tracks_[static_cast<std::size_t>(kind)];
  const std::int64_t back = it.started ? kBackMs : kLongestStepMs;
  return ms < it.last_ms - back ||
         (ms > it.last_ms + kLongestStepMs && ms > latest_possible(now_ms));
}

// How much earlier something came than it was expected.
std::int64_t SessionClock::early(const Track& it) const {
  return it.started ? next_of(it) - (received_ms_ + it.offset) : 0;
}

// Whether the clock went back a little for both tracks. Each waiting behind its own last sample,
// sound and picture would be as far apart as these are.
bool SessionClock::goes_back_with_other(TrackKind kind) const {
  const std::int64_t step = early(tracks_[static_cast<std::size_t>(kind)]);
  const std::int64_t others = tracks_[1 - static_cast<std::size_t>(kind)].went_back;
  return step > kSlackMs && others > kSlackMs && std::abs(step - others) <= kSlackMs &&
         latest_ms_ <= unsteady_since_ms_ + kBackMs;
}

// Whether what went back by `step` goes on meanwhile, until the other track tells whether its clock
// did, too: sound, which has no other reason to; and pictures so slow that waiting would show.
bool SessionClock::goes_on(TrackKind kind, std::int64_t step) const {
  const Track& it = tracks_[static_cast<std::size_t>(kind)];
  return step > kSlackMs && received_ms_ + it.offset < it.last_ms &&
         (kind == TrackKind::kAudio || next_of(it) - it.last_ms > kSlackMs) &&
         (it.went_back <= kSlackMs ||
          it.other_ms == tracks_[1 - static_cast<std::size_t>(kind)].last_ms);
}

// The first sample of a track: on the clock of the other one, if there is one.
void SessionClock::begin(TrackKind kind, std::uint32_t timestamp_ms, std::int64_t now_ms) {
  Track& it = track(kind);
  const Track& other = this->other(kind);
  if (!other.started) {
    received_ms_ = timestamp_ms;
    latest_ms_ = timestamp_ms;
    arrived_ms_ = now_ms;
    lead_ms_ = latest_ms_ - now_ms;
  }
  it.offset = other.offset;
  it.alternative = other.alternative;
  it.last_ms = latest_ms_;
  it.other_ms = other.last_ms;
}

// Whether what came fits the other clock that is known for the track better; goes over to it then.
bool SessionClock::try_other_clock(TrackKind kind, std::int64_t now_ms) {
  Track& it = track(kind);
  Track& other = this->other(kind);
  const std::int64_t here = received_ms_ + it.offset;
  const std::int64_t there = received_ms_ + it.alternative;
  const bool comparing = latest_ms_ <= compare_until_ms_;
  const Expected expected = this->expected(it);
  if (expected.distance(there) >= expected.distance(here) ||
      !(comparing ? expected.distance(here) > kSlackMs : jumps(kind, here, now_ms))) {
    return false;
  }
  const bool following = it.follows && comparing;
  const std::int64_t overlap = expected.from - there;
  const bool both_later = following && overlap > kSlackMs && overlap <= kLongestStepMs;
  if (!both_later && jumps(kind, there, now_ms)) {
    return false;
  }
  std::swap(it.offset, it.alternative);
  it.follows = false;
  compare_until_ms_ = latest_ms_ + kCompareMs;
  if (both_later) {
    // The new clock began earlier for this track than the other one's first sample showed.
    it.offset += overlap;
    other.offset += overlap;
    return true;
  }
  if (!following) {
    other.follows = !other.follows && other.offset != other.alternative;
  }
  return !following;
}

// The track goes on where it was expected, and the other one may follow.
void SessionClock::close_jump(TrackKind kind, bool reset) {
  Track& it = track(kind);
  Track& other = this->other(kind);
  const std::int64_t ms = received_ms_ + it.offset;
  std::int64_t target = expected(it).from;
  if (!it.started) {
    it.offset += target - ms;
    it.alternative = it.offset;
    return;
  }
  if (other.started) {
    const std::int64_t rested = other.last_ms - it.other_ms;
    if (reset) {
      target = std::max(target, next_of(other));
    } else if (rested > target - it.last_ms + kRestMs) {
      target = it.last_ms + rested;
    }
  }
  const std::int64_t by = target - ms;
  if (other.follows && latest_ms_ <= compare_until_ms_) {
    other.alternative += by;  // a second jump before it has followed the first
  } else {
    other.alternative = other.offset + by;
    it.alternative = it.offset;
  }
  it.offset += by;
  it.follows = false;
  other.follows = other.started;
  compare_until_ms_ = target + kCompareMs;
}

SessionClock::Time SessionClock::next(TrackKind kind, std::uint32_t timestamp_ms,
                                      std::int32_t cts_ms, std::int64_t now_ms) {
  Track& it = track(kind);
  if (!it.started) {
    begin(kind, timestamp_ms, now_ms);
  }
  // The difference as a signed number is right on both sides of a wrap.
  received_ms_ +=
      static_cast<std::int32_t>(timestamp_ms - static_cast<std::uint32_t>(received_ms_));
  const std::int64_t before = it.offset;
  bool repaired = it.offset != it.alternative && try_other_clock(kind, now_ms);
  if (jumps(kind, received_ms_ + it.offset, now_ms)) {
    close_jump(kind, timestamp_ms <= kResetMs);
    repaired = true;
  } else if (early(it) > kSlackMs) {
    if (latest_ms_ > unsteady_until_ms_) {
      unsteady_since_ms_ = latest_ms_;
    }
    unsteady_until_ms_ = latest_ms_ + kSteadyMs;
  }
  if (goes_back_with_other(kind)) {
    close_jump(kind, false);
    Track& other = this->other(kind);
    std::swap(other.offset, other.alternative);
    other.follows = false;
    other.went_back = 0;
    repaired = true;
  }
  const std::int64_t step = early(it);
  const bool held = goes_on(kind, step);
  const bool waits = received_ms_ + it.offset < it.last_ms;
  it.went_back = waits ? std::max(step, it.went_back) : step;
  Time time{};
  time.ms = received_ms_ + it.offset + (held ? step : 0);
  const SampleClock::Time sample = it.samples->next(time.ms, cts_ms);
  time.dts = sample.dts;
  time.cts = sample.cts;
  it.last_ms = it.started ? std::max(it.last_ms, time.ms) : time.ms;
  if (repaired || held || sample.moved || sample.advanced) {
    TimestampRepair& repair = time.repair;
    repair.track = kind;
    repair.at_ms = it.last_ms;
    repair.from_ms = timestamp_ms;
    repair.to_ms = static_cast<std::uint32_t>(it.last_ms - before);
    if (repaired) {
      repair.kind = jump_kind(timestamp_ms, it.offset - before);
    } else if (held || sample.moved) {
      repair.kind =
          timestamp_ms == it.last_timestamp ? RepairKind::kRepeated : RepairKind::kBackward;
    } else {
      repair.kind = RepairKind::kNegativeCts;
      repair.from_ms = cts_ms;
      repair.to_ms = static_cast<std::int64_t>(sample.cts) * 1000 / it.timescale;
    }
  }
  it.started = true;
  it.has_next = true;
  it.last_timestamp = timestamp_ms;
  it.other_ms = other(kind).last_ms;
  latest_ms_ = std::max(latest_ms_, time.ms);
  lead_ms_ = std::max(lead_ms_, time.ms - now_ms);
  arrived_ms_ = now_ms;
  return time;
}

}  // namespace recording::media
