#include "ngx_headers.hpp"

#include "ngx_event_loop.hpp"

#include <utility>

#include "boundary.hpp"

namespace recording::ngx {
namespace {

class NgxWatch final : public EventLoop::Watch {
 public:
  // Adds the event; is_active() says whether it could.
  NgxWatch(ngx_connection_t* c, EventLoop::For what, std::function<void()> ready)
      : connection_(c),
        event_(what == EventLoop::For::kReading ? c->read : c->write),
        writing_(what == EventLoop::For::kWriting),
        ready_(std::make_shared<const std::function<void()>>(std::move(ready))) {
    c->data = this;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    event_->handler = on_event;
    is_active_ = handle() == NGX_OK;
  }

  ~NgxWatch() override {
    for (ngx_event_t* ev : {connection_->read, connection_->write}) {
      if (ev->active || ev->disabled) {
        ngx_del_event(ev, ev == connection_->read ? NGX_READ_EVENT : NGX_WRITE_EVENT, 0);
      }
      if (ev->posted) {
        ngx_delete_posted_event(ev);
      }
    }
    connection_->fd = static_cast<ngx_socket_t>(-1);  // it is its owner's to close
    ngx_free_connection(connection_);
  }

  void wait() override {
    event_->ready = 0;
    (void)handle();
  }

  [[nodiscard]] bool is_active() const { return is_active_; }

 private:
  ngx_int_t handle() noexcept {
    return writing_ ? ngx_handle_write_event(event_, 0) : ngx_handle_read_event(event_, 0);
  }

  static void on_event(ngx_event_t* ev) noexcept {
    auto* c = static_cast<ngx_connection_t*>(ev->data);
    auto* self = static_cast<NgxWatch*>(c->data);
    const auto ready = self->ready_;  // it may destroy the watch
    ev->ready = 1;
    (void)guard(ev->log, "event of a program", 0, [&] {
      (*ready)();
      return 0;
    });
    if (ready.use_count() > 1 && ev->ready) {
      // It has nothing to write now: methods that tell again and again are to be silent.
      (void)self->handle();
    }
  }

  ngx_connection_t* connection_;
  ngx_event_t* event_;
  bool writing_;
  bool is_active_ = false;
  std::shared_ptr<const std::function<void()>> ready_;
};

}  // namespace

std::unique_ptr<EventLoop::Watch> NgxEventLoop::watch(int fd, For what,
                                                      std::function<void()> ready) {
  ngx_connection_t* c = ngx_get_connection(fd, ngx_cycle->log);
  if (c == nullptr) {
    return nullptr;
  }
  auto made = std::make_unique<NgxWatch>(c, what, std::move(ready));
  return made->is_active() ? std::move(made) : nullptr;
}

}  // namespace recording::ngx
