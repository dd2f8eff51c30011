#include "ngx_headers.hpp"

#include "ngx_recording_process.hpp"

#include <memory>
#include <optional>

#include "boundary.hpp"
#include "ngx_application.hpp"
#include "ngx_event_loop.hpp"
#include "ngx_executor.hpp"
#include "ngx_log_sink.hpp"
#include "ngx_recording_conf.hpp"
#include "ngx_rtmp_recording_conf.hpp"
#include "ngx_rtmp_transcoder_conf.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

constexpr ngx_msec_t kTickMs = 1000;
constexpr ngx_msec_t kHoldMs = 50;

// What this worker has besides nginx's own: the application and what drives it.
struct Process {
  NgxLogSink log;
  std::optional<NgxExecutor> io, finish, read, catalog, live;
  NgxEventLoop events;
  std::unique_ptr<app::Application> application;
  ngx_connection_t* wakeup = nullptr;
  ngx_connection_t no_connection{};  // debug builds read ev->data of timers as a connection
  ngx_event_t tick{}, hold{};
};

Process* process = nullptr;  // a worker has one, the master none

void on_tick(ngx_event_t* ev) noexcept {
  (void)guard(ev->log, "tick", 0, [] {
    process->application->tick();
    return 0;
  });
  hold_worker();
  ngx_add_timer(ev, kTickMs);
}

void on_hold(ngx_event_t* /*ev*/) noexcept { hold_worker(); }

void on_wakeup(ngx_event_t* ev) noexcept {
  if (auto* c = static_cast<ngx_connection_t*>(ev->data); c->close) {
    // So nginx tells idle connections that the worker is draining. It still has to be woken.
    c->close = 0;
    process->application->drain();
    return;
  }
  (void)guard(ev->log, "wake-up", 0, [] {
    process->application->woken();
    return 0;
  });
  hold_worker();
}

ngx_int_t watch_wakeups(Process& made, ngx_log_t* log) noexcept {
  ngx_connection_t* c = ngx_get_connection(made.application->wakeup_fd(), log);
  if (c == nullptr) {
    return NGX_ERROR;
  }
  c->log = log;
  c->idle = 1;
  c->read->log = log;
  c->write->log = log;
  c->read->handler = on_wakeup;
  made.wakeup = c;
  return ngx_handle_read_event(c->read, 0);
}

void start_timers(Process& made, ngx_log_t* log) noexcept {
  made.no_connection.fd = static_cast<ngx_socket_t>(-1);
  for (ngx_event_t* timer : {&made.tick, &made.hold}) {
    timer->data = &made.no_connection;
    timer->log = log;
  }
  made.tick.handler = on_tick;
  made.tick.cancelable = 1;
  made.hold.handler = on_hold;  // not cancelable: it is what makes a draining worker wait
  ngx_add_timer(&made.tick, 1);
}

// False: there is no such pool.
bool use_pool(std::optional<NgxExecutor>& executor, ngx_cycle_t* cycle, std::string_view name) {
  ngx_str_t text = to_ngx_str(name);
  ngx_thread_pool_t* pool = ngx_thread_pool_get(cycle, &text);
  if (pool != nullptr) {
    executor.emplace(pool);
  }
  return pool != nullptr;
}

ngx_int_t start(ngx_cycle_t* cycle, const config::Config& config) {
  auto made = std::make_unique<Process>();
  if (!use_pool(made->io, cycle, kIoPool) || !use_pool(made->finish, cycle, kFinishPool) ||
      !use_pool(made->read, cycle, kReadPool) || !use_pool(made->catalog, cycle, kCatalogPool) ||
      !use_pool(made->live, cycle, kLivePool)) {
    ngx_log_error(NGX_LOG_CRIT, cycle->log, 0, "recording: its thread pools are missing");
    return NGX_ERROR;
  }
  config::Config complete = config;
  complete.applications = recordable_applications(cycle);
  complete.transcoders = transcoded_applications(cycle);
  auto application = app::Application::create(
      complete, {&*made->io, &*made->finish, &*made->read, &*made->catalog, &*made->live,
                 &made->events, &made->log, ngx_worker == 0});
  if (!application) {
    log_error(cycle->log, "nothing can be recorded by this worker", application.error());
    return NGX_ERROR;
  }
  made->application = std::move(application).value();
  if (watch_wakeups(*made, cycle->log) != NGX_OK) {
    ngx_log_error(NGX_LOG_CRIT, cycle->log, 0, "recording: no connection for wake-ups");
    return NGX_ERROR;
  }
  start_timers(*made, cycle->log);
  process = made.release();  // to the end of the process: jobs and sessions point into it
  return NGX_OK;
}

}  // namespace

app::Application* application() noexcept {
  return process == nullptr ? nullptr : process->application.get();
}

void hold_worker() noexcept {
  if (process != nullptr && !process->hold.timer_set && process->application->busy()) {
    ngx_add_timer(&process->hold, kHoldMs);
  }
}

ngx_int_t init_process(ngx_cycle_t* cycle) noexcept {
  const RecordingConf* conf = recording_conf(cycle);
  if (conf == nullptr || !conf->config.present ||
      (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)) {
    return NGX_OK;
  }
  (void)guard(cycle->log, "init_process", NGX_ERROR, [&] { return start(cycle, conf->config); });
  return NGX_OK;
}

void exit_process(ngx_cycle_t* cycle) noexcept {
  if (process == nullptr) {
    return;
  }
  if (ngx_connection_t* c = process->wakeup; c != nullptr) {
    // The socket is the application's; nginx must not find an open one and be alarmed.
    if (c->read->active) {
      ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }
    c->fd = static_cast<ngx_socket_t>(-1);
    ngx_free_connection(c);
  }
  (void)guard(cycle->log, "exit_process", 0, [] {
    process->application->leave();
    return 0;
  });
}

}  // namespace recording::ngx
