#pragma once

#include <deque>
#include <functional>
#include <string>

#include "base/log.hpp"
#include "runtime/live_state.hpp"

namespace recording::recorder {

// Changes to the live state that must not get lost: made at once, or, when the lock cannot be had
// in time, with the next tick, in order. Event loop only.
class LiveChanges {
 public:
  using Change = std::function<void(runtime::LiveState::Transaction&)>;

  LiveChanges(runtime::LiveState& state, Log& log) : state_(state), log_(log) {}

  // Copies what it captures must be its own: it may be called later.
  void make(Change change) {
    waiting_.push_back(std::move(change));
    retry();
  }

  // Now or not at all; for what a later look does again anyway. False: the lock was not to be had.
  template <class Now>
  bool make_now(const Now& change) {
    retry();
    if (!waiting_.empty()) {
      return false;  // what was to be changed before must be
    }
    auto begun = state_.begin();
    if (!begun) {
      return false;
    }
    runtime::LiveState::Transaction live = std::move(begun).value();
    change(live);
    return true;
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
