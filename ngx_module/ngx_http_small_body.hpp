#pragma once

#include "ngx_headers.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "ngx_http_pending.hpp"

namespace recording::ngx {

// Reads a request's body into memory as it arrives, so that none of it ever goes to a temporary
// file: a disk that hangs must not hold up the event loop.
class SmallBody : public std::enable_shared_from_this<SmallBody> {
 public:
  // NGX_OK, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE or what nginx found wrong with it.
  using Then = std::function<void(ngx_http_request_t*, ngx_int_t rc, std::string body)>;

  // Calls `then` once, inside resume(), unless the request goes before. False: out of memory.
  static bool read(const std::shared_ptr<PendingRequest>& pending, std::size_t limit, Then then);

 private:
  SmallBody(std::shared_ptr<PendingRequest> pending, std::size_t limit, Then then)
      : pending_(std::move(pending)), limit_(limit), then_(std::move(then)) {}

  void start(ngx_http_request_t* r);
  void collect(ngx_http_request_t* r, ngx_int_t rc);
  ngx_int_t take_buffers(ngx_http_request_t* r);
  static void on_first_part(ngx_http_request_t* r) noexcept;
  static void on_readable(ngx_http_request_t* r) noexcept;
  static SmallBody* of(ngx_http_request_t* r);

  std::shared_ptr<PendingRequest> pending_;
  std::size_t limit_;
  Then then_;
  std::string body_;
};

}  // namespace recording::ngx
