#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "base/executor.hpp"

namespace recording::test {

// run() and done() at once, inside post(): the shortest test, where the order does not matter.
class InlineExecutor final : public Executor {
 public:
  bool post(std::unique_ptr<Job> job) noexcept override {
    if (full_) {
      return false;
    }
    job->run();
    job->done();
    return true;
  }
  void set_full(bool full) { full_ = full; }

 private:
  bool full_ = false;
};

// Keeps jobs until the test says that a thread takes one (run_one) or that the event loop hears of
// it (finish_one). drain() does both until nothing is left, also for jobs that done() posts.
class QueuedExecutor final : public Executor {
 public:
  bool post(std::unique_ptr<Job> job) noexcept override {
    if (waiting_.size() >= capacity_) {
      return false;
    }
    waiting_.push_back(std::move(job));
    return true;
  }

  bool run_one() {
    if (waiting_.empty()) {
      return false;
    }
    std::unique_ptr<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    job->run();
    finished_.push_back(std::move(job));
    return true;
  }
  bool finish_one() {
    if (finished_.empty()) {
      return false;
    }
    const std::unique_ptr<Job> job = std::move(finished_.front());
    finished_.pop_front();
    job->done();
    return true;
  }
  // Returns how many jobs were finished.
  std::size_t drain() {
    std::size_t finished = 0;
    while (run_one() || !finished_.empty()) {
      while (finish_one()) {
        ++finished;
      }
    }
    return finished;
  }

  // As when the process exits: what waits is run (nginx drains its pools), done() is never called.
  void exit_process() {
    while (run_one()) {
    }
    finished_.clear();
  }
  // As when the process is killed: nothing more is run.
  void kill_process() {
    waiting_.clear();
    finished_.clear();
  }

  void set_capacity(std::size_t jobs) { capacity_ = jobs; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }    // run() not yet called
  [[nodiscard]] std::size_t finished() const { return finished_.size(); }  // done() not yet called

 private:
  std::deque<std::unique_ptr<Job>> waiting_;
  std::deque<std::unique_ptr<Job>> finished_;
  std::size_t capacity_ = 65536;
};

}  // namespace recording::test
