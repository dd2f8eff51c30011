#pragma once

#include "ngx_headers.hpp"

#include <memory>

#include "boundary.hpp"

namespace recording::ngx {

// A request whose answer may come after its content handler has returned: from a thread, or from
// another process. The client may go at any time, and the request with it; what comes later finds
// null. Closures share this object and nothing of the request's pool.
//
//   auto pending = PendingRequest::of(r);       // in the content handler, which returns
//   start_work([pending](Value v) {             //   pending->suspend()
//     pending->resume("where", [&](ngx_http_request_t* r) { … pending->finish(rc); });
//   });
class PendingRequest {
 public:
  // nullptr when out of memory.
  static std::shared_ptr<PendingRequest> of(ngx_http_request_t* r);

  // nullptr: the request is gone, or was finished.
  [[nodiscard]] ngx_http_request_t* request() const { return r_; }

  // Ends the content handler's call, after all that it could start was started: `return suspend()`.
  ngx_int_t suspend() noexcept;
  // While nothing is sent and nothing read: a client that closes its connection ends the request
  // (499), and all else is ignored. So it is from the beginning, too.
  void watch_client() noexcept;

  // Gives the request's one result to nginx; it must not be touched afterwards.
  void finish(ngx_int_t rc) noexcept;

  // An error of ours: 500 where the answer has not begun yet, else the connection is cut.
  void fail() noexcept;

  // Runs `body(r)` as an event of the request's connection; not at all when it is gone. Inside the
  // content handler's own call it is just a call. An exception is fail().
  template <class Body>
  void resume(const char* where, Body&& body) noexcept {
    ngx_http_request_t* r = r_;
    if (r == nullptr) {
      return;
    }
    ngx_connection_t* c = r->connection;
    ngx_http_set_log_request(c->log, r);
    const bool posted_requests_are_ours = suspended_;
    release();
    const bool done = guard(c->log, where, false, [&] { return body(r), true; });
    if (!done) {
      fail();
    }
    if (posted_requests_are_ours) {
      ngx_http_run_posted_requests(c);
    }
  }

 private:
  explicit PendingRequest(ngx_http_request_t* r) : r_(r) {}

  void hold() noexcept;
  void release() noexcept;
  static void wait_event(ngx_http_request_t* r) noexcept;

  ngx_http_request_t* r_;
  bool suspended_ = false;
};

}  // namespace recording::ngx
