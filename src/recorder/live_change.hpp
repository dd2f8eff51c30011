#pragma once

#include <deque>
#include <functional>
#include <string>

#include "base/log.hpp"
#include "runtime/live_state.hpp"

namespace recording::recorder {

// Changes to the live state that must not get lost: made at once, or, when the lock cannot be had in
// time, with the next tick, in order. Event loop only.
class LiveChanges {
 public:
  using Change = std::function<void(runtime::LiveState::Transaction&)>;

  LiveChanges(runtime::LiveState& state, Log& log) : state_(state), log_(log) {}

  void make(Change change) {
    waiting_.push_back(std::move(change));
    retry();
  }

  void retry() {
    if (waiting_.empty()) {
      return;
    }
    auto begun = state_.begin();
    if (!begun) {
      log_.write(LogLevel::kError, "live state: " + begun.error().message);
      return;
    }
    runtime::LiveState::Transaction live = std::move(begun).value();
    // Taken out first: a change may lead to another one.
    std::deque<Change> now;
    now.swap(waiting_);
    for (const Change& change : now) {
      change(live);
    }
  }

 private:
  runtime::LiveState& state_;
  Log& log_;
  std::deque<Change> waiting_;
};

}  // namespace recording::recorder
