#pragma once

#include "ngx_headers.hpp"

#include "base/executor.hpp"

namespace recording::ngx {

// Jobs in one of nginx's thread pools; done() runs on the event loop as the task's completion.
// nginx runs what is queued when a worker exits, but not its completions: such jobs are never
// freed.
class NgxExecutor final : public Executor {
 public:
  explicit NgxExecutor(ngx_thread_pool_t* pool) noexcept : pool_(pool) {}
  bool post(std::unique_ptr<Job> job) noexcept override;

 private:
  ngx_thread_pool_t* pool_;
};

}  // namespace recording::ngx
