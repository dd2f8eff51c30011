#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace recording {

// Blocking work and what follows it. run() is called in a thread of a pool, then done() on the
// event loop that posted the job, then the job is destroyed there. While a process exits done()
// may never be called: nothing that must survive may depend on it.
class Job {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;
  virtual void run() noexcept = 0;
  virtual void done() noexcept = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Event loop only. False: the pool's queue is full; the job is destroyed, neither method called.
  virtual bool post(std::unique_ptr<Job> job) noexcept = 0;
};

// post(executor, [..]{ return blocking_work(); }, [..](auto result){ ... });
// `work` returns a default-constructible-or-not value which is moved to `then`. Neither may throw.
template <class Work, class Then>
bool post(Executor& executor, Work work, Then then) {
  using Value = std::invoke_result_t<Work&>;
  class Call final : public Job {
   public:
    Call(Work work, Then then) : work_(std::move(work)), then_(std::move(then)) {}
    void run() noexcept override { value_ = std::make_unique<Value>(work_()); }
    void done() noexcept override { then_(std::move(*value_)); }

   private:
    Work work_;
    Then then_;
    std::unique_ptr<Value> value_;
  };
  return executor.post(std::make_unique<Call>(std::move(work), std::move(then)));
}

// Lets go of an open file in a pool: with its last descriptor a removed one gives its blocks back,
// which takes a disk's time. Here, if the pool's queue is full.
template <class File>
void release(Executor& executor, std::shared_ptr<File> file) {
  (void)post(
      executor,
      [file = std::move(file)]() mutable {
        file.reset();
        return true;
      },
      [](bool) {});
}

}  // namespace recording
