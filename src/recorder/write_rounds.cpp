#include "recorder/write_rounds.hpp"

#include <algorithm>
#include <utility>

namespace recording::recorder {
namespace {

constexpr std::int64_t kLongestWaitMs = 250;
// A round keeps one thread busy; more recordings than this keep several.
constexpr std::size_t kMostTasks = 32;

using Tasks = std::vector<std::unique_ptr<WriteTask>>;

class Round final : public Job {
 public:
  explicit Round(std::shared_ptr<Tasks> tasks) : tasks_(std::move(tasks)) {}
  void run() noexcept override {
    for (const auto& task : *tasks_) {
      task->write();
    }
    if (tasks_->size() > 1) {
      for (const auto& task : *tasks_) {
        task->begin_sync();
      }
    }
    for (const auto& task : *tasks_) {
      task->sync();
    }
  }
  void done() noexcept override {
    for (const auto& task : *tasks_) {
      task->done();
    }
  }

 private:
  std::shared_ptr<Tasks> tasks_;
};

}  // namespace

void WriteRounds::add(std::unique_ptr<WriteTask> task, std::int64_t most_wait_ms) {
  const std::int64_t due = last_ms_ + std::min(most_wait_ms, kLongestWaitMs);
  due_ms_ = waiting_.empty() ? due : std::min(due, due_ms_);
  waiting_.push_back(std::move(task));
  if (waiting_.size() >= kMostTasks) {
    hurry();
  } else {
    tick();
  }
}

void WriteRounds::tick() {
  if (!waiting_.empty() && clock_.monotonic_ms() >= due_ms_) {
    hurry();
  }
}

void WriteRounds::hurry() {
  if (waiting_.empty()) {
    return;
  }
  last_ms_ = clock_.monotonic_ms();
  const auto tasks = std::make_shared<Tasks>(std::exchange(waiting_, {}));
  if (!io_.post(std::make_unique<Round>(tasks))) {
    for (const auto& task : *tasks) {
      task->refused();
    }
  }
}

}  // namespace recording::recorder
