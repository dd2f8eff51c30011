#include "ngx_http_pending.hpp"

#include <new>

namespace recording::ngx {
namespace {

using Link = std::weak_ptr<PendingRequest>;

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

void PendingRequest::watch_client() noexcept {
  if (!r_->discard_body) {  // else nginx still reads a body that nobody wants, and sees the end
    r_->read_event_handler = ngx_http_test_reading;
  }
  r_->write_event_handler = ngx_http_request_empty_handler;
}

void PendingRequest::finish(ngx_int_t rc) noexcept {
  ngx_http_request_t* r = r_;
  if (r != nullptr) {
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
