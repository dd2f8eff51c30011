#include "ngx_headers.hpp"

#include "ngx_executor.hpp"

#include <utility>

#include "boundary.hpp"

namespace recording::ngx {
namespace {

struct Task {
  ngx_thread_task_t task{};
  std::unique_ptr<Job> job;
};

void run(void* data, ngx_log_t* /*log*/) noexcept { static_cast<Task*>(data)->job->run(); }

void completed(ngx_event_t* ev) noexcept {
  const std::unique_ptr<Task> task(static_cast<Task*>(ev->data));
  (void)guard(ngx_cycle->log, "completion of a job", 0, [&] {
    task->job->done();
    return 0;
  });
}

}  // namespace

bool NgxExecutor::post(std::unique_ptr<Job> job) noexcept {
  std::unique_ptr<Task> task(new (std::nothrow) Task);
  if (task == nullptr) {
    return false;
  }
  task->job = std::move(job);
  task->task.ctx = task.get();
  task->task.handler = run;
  task->task.event.data = task.get();
  task->task.event.handler = completed;
  task->task.event.log = ngx_cycle->log;
  if (ngx_thread_task_post(pool_, &task->task) != NGX_OK) {
    return false;
  }
  (void)task.release();  // completed() owns it
  return true;
}

}  // namespace recording::ngx
