#include "transcode/supervisor.hpp"

#include <algorithm>
#include <utility>

namespace recording::transcode {
namespace {

constexpr std::int64_t kFirstBackOffMs = 1000, kLongestBackOffMs = 30000;
// One that ran for so long failed for another reason than the one before.
constexpr std::int64_t kGoodRunMs = 60000;
// Media that come all the time and of which nothing is made for so long: the program hangs. While
// it starts, on a machine with much to do, it may take longer.
constexpr std::int64_t kHangMs = 10000, kStartMs = 30000;
// A publisher that sends nothing for so long does not wait for anything.
constexpr std::int64_t kPauseMs = 2000;
// How long the end of a stream may take, for its last segments: without any progress, and at all. A
// program that was too slow for the stream is behind by what waits for it.
constexpr std::int64_t kFinishMs = 10000, kLongestFinishMs = 30000;

}  // namespace

void Supervisor::begin(std::int64_t now_ms) {
  if (state_ == TranscoderState::kProbing) {
    state_ = TranscoderState::kStarting;
    start_at_ms_ = now_ms;
  }
}

void Supervisor::refuse(std::string why) {
  if (state_ == TranscoderState::kProbing) {
    state_ = TranscoderState::kRefused;
    error_ = std::move(why);
  }
}

void Supervisor::started(std::int64_t now_ms) {
  state_ = TranscoderState::kStarting;
  has_program_ = true;
  told_to_end_ = false;
  running_since_ms_ = now_ms;
  media_us_ = 0;
  unanswered_ms_ = -1;
}

void Supervisor::offered(std::int64_t now_ms) {
  if (!has_program_) {
    return;
  }
  if (unanswered_ms_ < 0 || now_ms - offered_ms_ > kPauseMs) {
    unanswered_ms_ = now_ms;
  }
  offered_ms_ = now_ms;
}

bool Supervisor::progressed(std::int64_t now_ms, std::int64_t media_us) {
  if (!has_program_ || media_us <= media_us_) {
    return false;
  }
  media_us_ = media_us;
  unanswered_ms_ = -1;
  finish_by_ms_ = std::min(now_ms + kFinishMs, finish_until_ms_);
  if (state_ != TranscoderState::kStarting) {
    return false;
  }
  state_ = TranscoderState::kRunning;
  running_since_ms_ = now_ms;
  error_.clear();
  return true;
}

void Supervisor::ended(std::int64_t now_ms, const ProgramEnd& end, std::string why) {
  const bool ran_well =
      state_ == TranscoderState::kRunning && now_ms - running_since_ms_ >= kGoodRunMs;
  has_program_ = false;
  if (over()) {
    return;
  }
  if (finishing_) {
    state_ = TranscoderState::kEnded;
    return;
  }
  if (std::exchange(renewing_, false)) {
    state_ = TranscoderState::kStarting;
    start_at_ms_ = now_ms;
    return;
  }
  error_ = std::move(why);
  failures_ = ran_well ? 1 : failures_ + 1;
  if (end.how == ProgramEnd::How::kFailed || restarts_ >= most_restarts_) {
    state_ = TranscoderState::kFailed;
    return;
  }
  state_ = TranscoderState::kRestarting;
  start_at_ms_ =
      now_ms + std::min(kLongestBackOffMs, kFirstBackOffMs << std::min(failures_ - 1, 5));
}

void Supervisor::renew(std::int64_t now_ms) {
  if (has_program_ && !finishing_) {
    renewing_ = true;
    finish_by_ms_ = now_ms + kFinishMs;
    finish_until_ms_ = now_ms + kLongestFinishMs;
  }
}

void Supervisor::finish(std::int64_t now_ms) {
  if (over()) {
    return;
  }
  finishing_ = true;
  state_ = has_program_ ? state_ : TranscoderState::kEnded;
  finish_by_ms_ = now_ms + kFinishMs;
  finish_until_ms_ = now_ms + kLongestFinishMs;
}

bool Supervisor::hangs(std::int64_t now_ms) const {
  const std::int64_t patience = state_ == TranscoderState::kStarting ? kStartMs : kHangMs;
  return unanswered_ms_ >= 0 && now_ms - offered_ms_ <= kPauseMs &&
         now_ms - unanswered_ms_ >= patience;
}

Supervisor::Act Supervisor::next(std::int64_t now_ms) {
  if (has_program_) {
    const bool late = finishing_ || renewing_ ? now_ms >= finish_by_ms_ : hangs(now_ms);
    return late && !std::exchange(told_to_end_, true) ? Act::kEnd : Act::kNothing;
  }
  if ((state_ != TranscoderState::kStarting && state_ != TranscoderState::kRestarting) ||
      now_ms < start_at_ms_) {
    return Act::kNothing;
  }
  restarts_ += state_ == TranscoderState::kRestarting ? 1 : 0;
  return Act::kStart;
}

}  // namespace recording::transcode
