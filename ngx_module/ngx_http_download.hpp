#pragma once

#include "ngx_headers.hpp"

#include <memory>
#include <string>

#include "base/executor.hpp"
#include "exporter/served_video.hpp"
#include "ngx_http_pending.hpp"

namespace recording::ngx {

// One answer with the bytes of a video. What is computed (the index at the front) is read in a pool
// thread, a piece when the one before has gone out; what lies in the file is one buffer that nginx
// sends in its own way (sendfile, aio, limit_rate, …). Conditions and ranges are nginx's own
// filters': they answer 206, 304, 412 and 416, and cut the buffers.
class Download : public std::enable_shared_from_this<Download> {
 public:
  // nullptr when out of memory. It lives as long as the request's pool at least: nginx can refer to
  // its buffers until then.
  static std::shared_ptr<Download> create(std::shared_ptr<PendingRequest> pending, Executor& io);

  // `disposition`: the value of Content-Disposition; empty: none. Inside resume() only.
  void send(std::shared_ptr<const exporter::ServedVideo> video, const std::string& disposition);

 private:
  Download(std::shared_ptr<PendingRequest> pending, Executor& io)
      : pending_(std::move(pending)), io_(io) {}

  ngx_int_t send_header(ngx_http_request_t* r, const std::string& disposition);
  [[nodiscard]] std::uint64_t memory_end() const;
  void send_next(ngx_http_request_t* r);
  void read_piece();
  void send_piece(ngx_http_request_t* r, ByteView piece);
  void send_last(ngx_http_request_t* r, ByteView piece);
  void after_output(ngx_http_request_t* r, ngx_int_t rc);
  void wait_for_client(ngx_http_request_t* r);
  void on_writable(ngx_http_request_t* r);
  static void write_event(ngx_http_request_t* r) noexcept;

  ngx_buf_t* memory_buf(ngx_http_request_t* r, ByteView bytes);
  ngx_buf_t* file_buf(ngx_http_request_t* r, std::uint64_t from, std::uint64_t to);

  std::shared_ptr<PendingRequest> pending_;
  Executor& io_;
  std::shared_ptr<const exporter::ServedVideo> video_;
  ngx_file_t* file_ = nullptr;
  // Of what is sent, [position_, end_) is still to go to nginx.
  std::uint64_t position_ = 0;
  std::uint64_t end_ = 0;
  // What the range filter still takes for the beginning of the body, although it wants none of it.
  std::uint64_t skip_ = 0;
  Bytes piece_;                      // what sent_ refers to
  const ngx_buf_t* sent_ = nullptr;  // the last piece; empty when it went out
};

}  // namespace recording::ngx
