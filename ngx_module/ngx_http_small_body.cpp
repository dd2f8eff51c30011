#include "ngx_http_small_body.hpp"

#include <utility>

#include "ngx_http_recording_conf.hpp"

namespace recording::ngx {

SmallBody* SmallBody::of(ngx_http_request_t* r) {
  return static_cast<SmallBody*>(ngx_http_get_module_ctx(r, ngx_http_recording_module));
}

bool SmallBody::read(const std::shared_ptr<PendingRequest>& pending, std::size_t limit, Then then) {
  ngx_http_request_t* r = pending->request();
  std::shared_ptr<SmallBody> body(new SmallBody(pending, limit, std::move(then)));
  if (pool_new<std::shared_ptr<SmallBody>>(r->pool, body) == nullptr) {
    return false;
  }
  ngx_http_set_ctx(r, body.get(), ngx_http_recording_module);
  body->start(r);
  return true;
}

void SmallBody::start(ngx_http_request_t* r) {
  if (r->headers_in.content_length_n > static_cast<off_t>(limit_)) {
    r->expect_tested = 1;  // no "100 Continue": it would invite what is not wanted
    (void)ngx_http_discard_request_body(r);
    return then_(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, {});
  }
  // A module before us, such as mirror, may have read it already; then it is not ours to consume.
  const bool ours = r->request_body == nullptr;
  r->request_body_no_buffering = ours ? 1 : 0;
  const ngx_int_t rc = ngx_http_read_client_request_body(r, on_first_part);
  if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
    return collect(r, rc);
  }
  r->main->count--;  // the pending request has a count of its own
}

void SmallBody::on_first_part(ngx_http_request_t* r) noexcept {
  SmallBody* self = of(r);
  self->pending_->resume("request body", [&](ngx_http_request_t*) { self->collect(r, NGX_OK); });
}

void SmallBody::on_readable(ngx_http_request_t* r) noexcept {
  SmallBody* self = of(r);
  self->pending_->resume("request body", [&](ngx_http_request_t*) {
    self->collect(r, ngx_http_read_unbuffered_request_body(r));
  });
}

void SmallBody::collect(ngx_http_request_t* r, ngx_int_t rc) {
  while (rc == NGX_OK || rc == NGX_AGAIN) {
    const bool waits = rc == NGX_AGAIN && r->request_body->bufs == nullptr;
    if (waits) {
      r->read_event_handler = on_readable;
      r->write_event_handler = ngx_http_request_empty_handler;
      return;
    }
    rc = take_buffers(r);
    if (rc != NGX_OK || !r->reading_body) {
      break;
    }
    rc = ngx_http_read_unbuffered_request_body(r);
  }
  pending_->watch_client();
  then_(r, rc == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc, std::move(body_));
}

ngx_int_t SmallBody::take_buffers(ngx_http_request_t* r) {
  if (r->request_body == nullptr) {
    return NGX_OK;
  }
  for (ngx_chain_t* link = r->request_body->bufs; link != nullptr; link = link->next) {
    ngx_buf_t* buf = link->buf;
    const off_t size = ngx_buf_special(buf) ? 0 : ngx_buf_size(buf);
    const std::size_t have = body_.size();
    if (size > static_cast<off_t>(limit_ - have)) {
      return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    body_.resize(have + static_cast<std::size_t>(size));
    auto* into = reinterpret_cast<u_char*>(body_.data() + have);
    if (ngx_buf_in_memory(buf)) {
      ngx_memcpy(into, buf->pos, static_cast<std::size_t>(size));
    } else if (size > 0 && ngx_read_file(buf->file, into, static_cast<std::size_t>(size),
                                         buf->file_pos) != static_cast<ssize_t>(size)) {
      return NGX_ERROR;
    }
    if (r->request_body_no_buffering) {
      buf->pos = buf->last;  // nginx reads the next part into its place
    }
  }
  if (r->request_body_no_buffering) {
    r->request_body->bufs = nullptr;
  }
  return NGX_OK;
}

}  // namespace recording::ngx
