#include "ngx_http_pending.hpp"

#include <new>

namespace recording::ngx {
namespace {

using Link = std::weak_ptr<PendingRequest>;

constexpr ngx_msec_t kHold = 60'000;

}  // namespace

std::shared_ptr<PendingRequest> PendingRequest::of(ngx_http_request_t* r) {
  // Runs when the request is terminated or freed, whichever is first: both come before its pool
  // goes, and a terminated request may not be touched although it can still live for a while.
  ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(r, sizeof(Link));
  if (cleanup == nullptr) {
    return nullptr;
  }
  std::shared_ptr<PendingRequest> pending(new PendingRequest(r));
  ::new (cleanup->data) Link(pending);
  cleanup->handler = [](void* data) {
    auto* link = static_cast<Link*>(data);
    if (const auto self = link->lock()) {
      self->r_ = nullptr;
    }
    link->~Link();
  };
  // The content handler's own count goes with its NGX_DONE; this one with finish().
  r->main->count++;
  pending->watch_client();
  return pending;
}

ngx_int_t PendingRequest::suspend() noexcept {
  suspended_ = true;
  if (r_ != nullptr && r_->write_event_handler == wait_event) {
    hold();
  }
  return NGX_DONE;
}

void PendingRequest::watch_client() noexcept {
  if (!r_->discard_body) {  // else nginx still reads a body that nobody wants, and sees the end
    r_->read_event_handler = ngx_http_test_reading;
  }
  r_->write_event_handler = wait_event;
  if (suspended_) {
    hold();
  }
}

void PendingRequest::hold() noexcept {
  ngx_connection_t* c = r_->connection;
  if (r_ != c->data) {
    return;  // a subrequest whose turn has not come: the one before it holds the connection
  }
  // A worker that is told to quit leaves when it has no timers, whatever it waits for.
  if (!c->write->timer_set && !c->write->delayed) {
    ngx_add_timer(c->write, kHold);
  }
  // The client's close may have come together with its request: then no other event tells of it.
  if (c->read->ready) {
    ngx_post_event(c->read, &ngx_posted_events);
  }
}

void PendingRequest::release() noexcept {
  ngx_connection_t* c = r_->connection;
  if (r_ == c->data && c->write->timer_set && !c->write->delayed) {
    ngx_del_timer(c->write);
  }
}

void PendingRequest::wait_event(ngx_http_request_t* r) noexcept {
  ngx_event_t* wev = r->connection->write;
  wev->timedout = 0;  // how long a disk may take is not for us to say
  if (r == r->connection->data && !wev->timer_set && !wev->delayed) {
    ngx_add_timer(wev, kHold);
  }
}

void PendingRequest::finish(ngx_int_t rc) noexcept {
  ngx_http_request_t* r = r_;
  if (r != nullptr) {
    release();
    r_ = nullptr;
    ngx_http_finalize_request(r, rc);
  }
}

void PendingRequest::fail() noexcept {
  if (r_ != nullptr) {
    finish(r_->header_sent ? NGX_ERROR : NGX_HTTP_INTERNAL_SERVER_ERROR);
  }
}

}  // namespace recording::ngx
