#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>

#include "processing/video_processor.hpp"

namespace recording::processing {

// Tells an observer how far things are, not too often.
class Progress {
 public:
  explicit Progress(Observer& observer) : observer_(observer) {}

  // Shares of the whole that what comes next takes.
  void enter(double begin, double end) {
    begin_ = begin;
    end_ = end;
    at(0);
  }
  // `part` of what was entered.
  void at(double part) {
    constexpr std::int64_t kBetweenMs = 200;
    const double now = begin_ + (end_ - begin_) * std::clamp(part, 0.0, 1.0);
    const std::int64_t ms = now_ms();
    if (now > told_ && ms - told_ms_ >= kBetweenMs) {
      told_ = now;
      told_ms_ = ms;
      observer_.progressed(now);
    }
  }

  void done() { observer_.progressed(1); }

 private:
  static std::int64_t now_ms() {
    struct timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
  }

  Observer& observer_;
  double begin_ = 0, end_ = 1, told_ = 0;
  std::int64_t told_ms_ = 0;
};

}  // namespace recording::processing
