#include "ngx_headers.hpp"

#include "ngx_http_live_files.hpp"

#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "boundary.hpp"
#include "ngx_http_pages.hpp"
#include "ngx_http_pending.hpp"
#include "ngx_http_reply.hpp"
#include "ngx_str.hpp"
#include "transcode/live_folder.hpp"
#include "transcode/live_session.hpp"
#include "transcode/session_reader.hpp"

namespace recording::ngx {
namespace {

using transcode::LiveFile;
using transcode::LivePath;

// A playlist is asked for again and again. What a run's other files hold never changes, and no
// other run has a file of the same URL. Not "public": a shared cache would give others what an
// Authorization opened (RFC 9111, 3.5).
constexpr std::string_view kPlaylistCaching = "no-cache";
constexpr std::string_view kSegmentCaching = "max-age=31536000, immutable";

// Relative, so that prefixes and proxies do not matter.
ngx_int_t send_to(ngx_http_request_t* r, std::string location) {
  if (r->args.len > 0) {
    location += "?" + to_string(r->args);
  }
  r->headers_out.location = push_header(r, "Location", location);
  if (r->headers_out.location == nullptr ||
      push_header(r, "Cache-Control", kPlaylistCaching) == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  return NGX_HTTP_MOVED_TEMPORARILY;
}

std::string etag_of(const LiveFile& file) {
  std::array<char, 40> text{};
  char* end = std::to_chars(text.data(), text.data() + 18, file.modified_ns, 16).ptr;
  *end++ = '-';
  end = std::to_chars(end, text.data() + text.size(), file.size, 16).ptr;
  return '"' + std::string(text.data(), end) + '"';
}

bool push_headers(ngx_http_request_t* r, const LivePath& path) {
  const auto caching = path.is_playlist() ? kPlaylistCaching : kSegmentCaching;
  return push_header(r, "Cache-Control", caching) != nullptr &&
         push_header(r, "X-Content-Type-Options", "nosniff") != nullptr;
}

// Always the whole, as it is now: Chromium asks for as many bytes as it had the last time.
ngx_int_t send_playlist(ngx_http_request_t* r, const LivePath& path, const std::string& text) {
  return push_headers(r, path) ? send_body(r, NGX_HTTP_OK, path.content_type(), text)
                               : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t send_header(ngx_http_request_t* r, const LivePath& path, const LiveFile& file) {
  const ngx_str_t type = copy_to_pool(r->pool, path.content_type());
  if (type.data == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  r->headers_out.status = NGX_HTTP_OK;
  r->headers_out.content_length_n = static_cast<off_t>(file.size);
  r->headers_out.content_type = type;
  r->headers_out.content_type_len = type.len;
  r->headers_out.content_type_lowcase = nullptr;
  if (!path.is_playlist()) {
    r->allow_ranges = 1;
    r->headers_out.etag = push_header(r, "ETag", etag_of(file));
    if (r->headers_out.etag == nullptr) {
      return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
  }
  return push_headers(r, path) ? ngx_http_send_header(r) : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

// The file is closed with the request's pool: nginx may refer to it until then.
ngx_buf_t* file_buf(ngx_http_request_t* r, const std::string& name, LiveFile file) {
  auto* buf = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  auto* opened = static_cast<ngx_file_t*>(ngx_pcalloc(r->pool, sizeof(ngx_file_t)));
  const ngx_str_t path = copy_to_pool(r->pool, {name.c_str(), name.size() + 1});
  auto* owner = pool_new<UniqueFd>(r->pool, std::move(file.fd));
  if (buf == nullptr || opened == nullptr || path.data == nullptr || owner == nullptr) {
    return nullptr;
  }
  opened->fd = owner->get();
  opened->name = {path.len - 1, path.data};
  opened->log = r->connection->log;
  buf->file = opened;
  buf->file_last = static_cast<off_t>(file.size);
  buf->in_file = file.size > 0 ? 1 : 0;
  buf->last_buf = r == r->main ? 1 : 0;
  buf->last_in_chain = 1;
  buf->sync = file.size == 0 && buf->last_buf == 0 ? 1 : 0;
  return buf;
}

ngx_int_t send_file(ngx_http_request_t* r, const LivePath& path, const std::string& name,
                    LiveFile file) {
  const ngx_int_t rc = send_header(r, path, file);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
    return rc;
  }
  ngx_buf_t* buf = file_buf(r, name, std::move(file));
  if (buf == nullptr) {
    return NGX_ERROR;
  }
  ngx_chain_t out{buf, nullptr};
  return ngx_http_output_filter(r, &out);
}

// What there is not is 404, without a line for every player that is early or late.
ngx_int_t refuse(ngx_http_request_t* r, const Error& error) {
  if (error.code != Errc::kNotFound) {
    log_error(r->connection->log, "live playback", error);
  }
  return static_cast<ngx_int_t>(http_status(error.code));
}

// `work` in a pool thread, then `answer(r, value)`, whose result is the request's.
template <class Work, class Answer>
ngx_int_t answer_later(ngx_http_request_t* r, Executor& files, Work work, Answer answer) {
  const auto pending = PendingRequest::of(r);
  if (pending == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  const bool posted =
      post(files, std::move(work), [pending, answer = std::move(answer)](auto result) mutable {
        pending->resume("live playback", [&](ngx_http_request_t* request) {
          pending->finish(result ? answer(request, std::move(result).value())
                                 : refuse(request, result.error()));
        });
      });
  if (!posted) {
    pending->finish(NGX_HTTP_SERVICE_UNAVAILABLE);
  }
  return pending->suspend();
}

}  // namespace

ngx_int_t serve_live(ngx_http_request_t* r, app::Application& app, const LivePath& path) {
  const auto found = app.config().transcoders.find(path.app);
  if (found == app.config().transcoders.end()) {
    return NGX_HTTP_NOT_FOUND;
  }
  if (path.file.empty()) {
    return serve_page(r, pages::live_page());
  }
  const std::string stream = transcode::stream_folder(found->second, path.app, path.name);
  if (path.session.empty()) {
    return answer_later(
        r, app.live_reads(), [stream] { return transcode::current_run(stream); },
        [path](ngx_http_request_t* request, const transcode::RunPath& run) {
          const bool hls = path.file == transcode::kMasterName;
          return send_to(request, (hls ? run.session : run.text()) + "/" + path.file);
        });
  }
  const std::string session = stream + "/" + path.session;
  if (path.run.empty()) {
    return answer_later(
        r, app.live_reads(),
        [session, file = path.file,
         lock = transcode::session_lock_path(app.config().runtime, path.session)] {
          return transcode::read_session_playlist(session, file, lock);
        },
        [path](ngx_http_request_t* request, const std::string& text) {
          return send_playlist(request, path, text);
        });
  }
  const std::string name = session + "/" + path.run + "/" + path.file;
  return answer_later(
      r, app.live_reads(), [name] { return transcode::open_live_file(name); },
      [path, name](ngx_http_request_t* request, LiveFile file) {
        return send_file(request, path, name, std::move(file));
      });
}

}  // namespace recording::ngx
