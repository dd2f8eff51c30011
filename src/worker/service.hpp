#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace recording::worker {

// What recording-worker does besides others, in a thread of its own, while it holds the lock.
class Service {
 public:
  virtual ~Service() = default;
  // Until it is asked to stop, then back within a second or two.
  virtual void run(const std::stop_token& stop) = 0;
};

// Waits, but not longer than until it is asked to stop. True: it was.
inline bool wait_for(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock held(mutex);
  never.wait_for(held, stop, time, [] { return false; });
  return stop.stop_requested();
}

}  // namespace recording::worker
