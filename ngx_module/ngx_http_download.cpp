#include "ngx_http_download.hpp"

#include <algorithm>
#include <array>

#include "ngx_http_recording_conf.hpp"
#include "ngx_http_reply.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

// Small enough that many slow clients cost little, large enough that a thread is asked rarely: the
// index of 4 h is some 5 MB.
constexpr std::uint64_t kPieceSize = 128 * 1024;

ngx_http_core_loc_conf_t* core_loc_conf(ngx_http_request_t* r) {
  return static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
}

bool set_etag(ngx_http_request_t* r, const std::string& etag) {
  if (core_loc_conf(r)->etag == 0) {
    return true;
  }
  r->headers_out.etag = push_header(r, "ETag", etag);
  return r->headers_out.etag != nullptr;
}

bool set_last_modified(ngx_http_request_t* r, const exporter::Entity& entity) {
  if (entity.dated) {
    r->headers_out.last_modified_time = static_cast<time_t>(entity.last_modified);
    return true;
  }
  // Told to people, but not to the filters that would take it for a validator.
  std::array<u_char, sizeof("Mon, 28 Sep 1970 06:00:00 GMT")> text{};
  const u_char* end = ngx_http_time(text.data(), static_cast<time_t>(entity.last_modified));
  r->headers_out.last_modified = push_header(
      r, "Last-Modified",
      {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(end - text.data())});
  return r->headers_out.last_modified != nullptr;
}

// A playlist is asked for again and again, a picture with every page.
bool set_caching(ngx_http_request_t* r, const exporter::ServedVideo& video) {
  const std::string_view caching = video.is_text()      ? "no-cache"
                                   : video.is_picture() ? "max-age=3600"
                                                        : "";
  return caching.empty() || push_header(r, "Cache-Control", caching) != nullptr;
}

ngx_file_t* make_file(ngx_http_request_t* r, const exporter::ServedVideo& video) {
  auto* file = static_cast<ngx_file_t*>(ngx_pcalloc(r->pool, sizeof(ngx_file_t)));
  const ngx_str_t name = copy_to_pool(r->pool, {video.path().c_str(), video.path().size() + 1});
  if (file == nullptr || name.data == nullptr) {
    return nullptr;
  }
  file->fd = video.descriptor();
  file->name = {name.len - 1, name.data};  // nginx logs it with %s
  file->log = r->connection->log;
  return file;
}

// In a pool thread, where nothing may throw: `piece` has its size already.
Result<Bytes> read_into(const exporter::ServedVideo& video, Bytes piece,
                        std::uint64_t offset) noexcept {
  try {
    if (auto status = video.read(piece, offset); !status) {
      return std::move(status).error().wrap(video.path());
    }
    return piece;
  } catch (const std::exception&) {
    return Error{Errc::kInternal, "out of memory"};
  }
}

}  // namespace

std::shared_ptr<Download> Download::create(std::shared_ptr<PendingRequest> pending, Executor& io) {
  ngx_http_request_t* r = pending->request();
  std::shared_ptr<Download> download(new Download(std::move(pending), io));
  if (pool_new<std::shared_ptr<Download>>(r->pool, download) == nullptr) {
    return nullptr;
  }
  return download;
}

void Download::send(std::shared_ptr<const exporter::ServedVideo> video,
                    const std::string& disposition) {
  ngx_http_request_t* r = pending_->request();
  video_ = std::move(video);
  file_ = make_file(r, *video_);
  if (file_ == nullptr) {
    return pending_->fail();
  }
  const ngx_int_t rc = send_header(r, disposition);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
    return pending_->finish(rc);
  }
  end_ = video_->length();
  if (r->headers_out.status == NGX_HTTP_PARTIAL_CONTENT) {
    // The range filter has said which part it wants, and cuts it out of a body that it counts from
    // the beginning. What comes before is not made, let alone read: a file buffer of that length
    // stands for it, which the filter drops unseen.
    position_ = static_cast<std::uint64_t>(r->headers_out.content_offset);
    end_ = position_ + static_cast<std::uint64_t>(r->headers_out.content_length_n);
    skip_ = position_;
  }
  ngx_http_set_ctx(r, this, ngx_http_recording_module);
  send_next(r);
}

ngx_int_t Download::send_header(ngx_http_request_t* r, const std::string& disposition) {
  r->headers_out.status = NGX_HTTP_OK;
  r->headers_out.content_length_n = static_cast<off_t>(video_->length());
  r->headers_out.content_type = to_ngx_str(video_->content_type());  // of a literal
  r->headers_out.content_type_len = r->headers_out.content_type.len;
  r->headers_out.content_type_lowcase = nullptr;
  if (!set_etag(r, video_->entity().etag) || !set_last_modified(r, video_->entity()) ||
      !set_caching(r, *video_) || push_header(r, "X-Content-Type-Options", "nosniff") == nullptr ||
      (!disposition.empty() && push_header(r, "Content-Disposition", disposition) == nullptr)) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  // Of a playlist always the whole: it may have grown, and Chromium asks for as much as it had.
  r->allow_ranges = video_->is_text() ? 0 : 1;
  r->single_range = 1;  // several are answered with the whole: the body is not one buffer
  return ngx_http_send_header(r);
}

std::uint64_t Download::memory_end() const { return std::min(end_, video_->memory_length()); }

void Download::send_next(ngx_http_request_t* r) {
  if (position_ >= memory_end()) {
    return send_last(r, {});
  }
  const ByteView head = video_->head();
  if (position_ >= head.size()) {
    return read_piece();
  }
  const std::uint64_t end = std::min<std::uint64_t>(head.size(), memory_end());
  send_piece(r, head.subspan(position_, end - position_));
}

void Download::read_piece() {
  pending_->watch_client();  // it is not the client who is waited for
  Bytes piece = std::move(piece_);
  piece.resize(std::min(kPieceSize, memory_end() - position_));
  const bool posted = post(
      io_,
      [video = video_, piece = std::move(piece), offset = position_]() mutable {
        return read_into(*video, std::move(piece), offset);
      },
      [self = shared_from_this()](Result<Bytes> read) {
        self->pending_->resume("download", [&](ngx_http_request_t* request) {
          if (!read) {
            log_error(request->connection->log, "download", read.error());
            return self->pending_->fail();
          }
          self->piece_ = std::move(read).value();
          self->send_piece(request, self->piece_);
        });
      });
  if (!posted) {
    pending_->fail();
  }
}

void Download::send_piece(ngx_http_request_t* r, ByteView piece) {
  if (position_ + piece.size() == memory_end()) {
    return send_last(r, piece);
  }
  ngx_buf_t* skipped = skip_ > 0 ? file_buf(r, 0, skip_) : nullptr;
  ngx_buf_t* buf = memory_buf(r, piece);
  if (buf == nullptr || (skip_ > 0 && skipped == nullptr)) {
    return pending_->fail();
  }
  buf->flush = 1;  // postpone_output must not wait for more: more comes when this is gone
  position_ += piece.size();
  skip_ = 0;
  sent_ = buf;
  ngx_chain_t out{buf, nullptr};
  ngx_chain_t with_skipped{skipped, &out};
  after_output(r, ngx_http_output_filter(r, skipped != nullptr ? &with_skipped : &out));
}

// The last piece of what is computed, and with it all of the media.
void Download::send_last(ngx_http_request_t* r, ByteView piece) {
  std::array<ngx_chain_t, 3> chain{};
  std::size_t count = 0;
  bool complete = true;
  const auto add = [&](ngx_buf_t* buf) {
    complete = complete && buf != nullptr;
    chain[count++].buf = buf;
  };
  if (skip_ > 0) {
    add(file_buf(r, 0, skip_));
  }
  if (!piece.empty()) {
    add(memory_buf(r, piece));
  }
  if (end_ > video_->memory_length()) {
    const std::uint64_t from = std::max(position_, video_->memory_length());
    const auto to_file = [&](std::uint64_t offset) {
      return offset - video_->memory_length() + video_->media_offset();
    };
    add(file_buf(r, to_file(from), to_file(end_)));
  }
  if (!complete || count == 0) {
    return pending_->fail();
  }
  for (std::size_t i = 1; i < count; ++i) {
    chain[i - 1].next = &chain[i];
  }
  chain[count - 1].buf->last_buf = r == r->main ? 1 : 0;
  chain[count - 1].buf->last_in_chain = 1;
  pending_->finish(ngx_http_output_filter(r, chain.data()));
}

void Download::after_output(ngx_http_request_t* r, ngx_int_t rc) {
  if (rc == NGX_ERROR || rc > NGX_OK) {
    return pending_->finish(rc);
  }
  if (ngx_buf_size(sent_) == 0) {
    return send_next(r);
  }
  wait_for_client(r);
}

// As ngx_http_writer() does.
void Download::wait_for_client(ngx_http_request_t* r) {
  const ngx_http_core_loc_conf_t* core = core_loc_conf(r->main);
  ngx_event_t* wev = r->connection->write;
  pending_->watch_client();
  r->http_state = NGX_HTTP_WRITING_REQUEST_STATE;
  r->write_event_handler = write_event;
  if (r == r->connection->data && !wev->delayed) {
    ngx_add_timer(wev, core->send_timeout);
  }
  if (ngx_handle_write_event(wev, core->send_lowat) != NGX_OK) {
    pending_->finish(NGX_ERROR);
  }
}

void Download::write_event(ngx_http_request_t* r) noexcept {
  auto* download = static_cast<Download*>(ngx_http_get_module_ctx(r, ngx_http_recording_module));
  const bool done = guard(r->connection->log, "download", false, [&] {
    download->on_writable(r);
    return true;
  });
  if (!done) {
    download->pending_->fail();
  }
}

void Download::on_writable(ngx_http_request_t* r) {
  ngx_event_t* wev = r->connection->write;
  if (wev->timedout) {
    ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT, "client timed out");
    r->connection->timedout = 1;
    return pending_->finish(NGX_HTTP_REQUEST_TIME_OUT);
  }
  if (wev->delayed || r->aio) {
    return wait_for_client(r);
  }
  after_output(r, ngx_http_output_filter(r, nullptr));
}

ngx_buf_t* Download::memory_buf(ngx_http_request_t* r, ByteView bytes) {
  auto* buf = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (buf != nullptr) {
    buf->pos = const_cast<u_char*>(bytes.data());
    buf->last = buf->pos + bytes.size();
    buf->memory = 1;
  }
  return buf;
}

ngx_buf_t* Download::file_buf(ngx_http_request_t* r, std::uint64_t from, std::uint64_t to) {
  auto* buf = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (buf != nullptr) {
    buf->file = file_;
    buf->file_pos = static_cast<off_t>(from);
    buf->file_last = static_cast<off_t>(to);
    buf->in_file = 1;
  }
  return buf;
}

}  // namespace recording::ngx
