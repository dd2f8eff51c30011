#include "ngx_headers.hpp"

#include "ngx_http_events.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/event_feed.hpp"
#include "boundary.hpp"
#include "ngx_application.hpp"
#include "ngx_http_reply.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

constexpr std::size_t kMostWatchers = 128;  // of one worker
constexpr ngx_msec_t kLookMs = 1000;
constexpr unsigned kHeartbeatLooks = 15;

// One who watches. What is being sent to it is its only memory: nothing is queued for one that is
// slow; it gets the whole again when it has taken that.
struct Watcher {
  ngx_http_request_t* r = nullptr;
  ngx_buf_t* buf = nullptr;
  std::string text;
  bool behind = false;
};

// Of this worker. Nothing runs while the list is empty.
struct Watching {
  std::vector<Watcher*> watchers;
  std::unique_ptr<api::EventFeed> feed;
  ngx_connection_t no_connection{};  // debug builds read ev->data of timers as a connection
  ngx_event_t timer{};
  unsigned looks = 0;
};

Watching& watching() {
  static Watching here;
  return here;
}

bool is_sending(const ngx_http_request_t* r) {
  return r->buffered != 0 || r->connection->buffered != 0;
}

void forget(Watcher* watcher) {
  auto& all = watching().watchers;
  all.erase(std::remove(all.begin(), all.end(), watcher), all.end());
}

// The request may be gone afterwards, the watcher is forgotten.
void finish(Watcher* watcher, ngx_int_t rc) {
  ngx_http_request_t* r = watcher->r;
  forget(watcher);
  ngx_http_finalize_request(r, rc);
}

Watcher* watcher_of(ngx_http_request_t* r) {
  for (Watcher* watcher : watching().watchers) {
    if (watcher->r == r) {
      return watcher;
    }
  }
  return nullptr;
}

void on_writable(ngx_http_request_t* r) noexcept;

// What follows an attempt to send: waits for the client to take the rest, as nginx's own writer.
void after_sending(Watcher* watcher, ngx_int_t rc) {
  ngx_http_request_t* r = watcher->r;
  ngx_event_t* wev = r->connection->write;
  if (rc == NGX_ERROR) {
    return finish(watcher, NGX_ERROR);
  }
  const auto* core =
      static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  if (!is_sending(r)) {
    r->write_event_handler = ngx_http_request_empty_handler;
    if (wev->timer_set && !wev->delayed) {
      ngx_del_timer(wev);
    }
    return;
  }
  r->write_event_handler = on_writable;
  if (!wev->delayed) {
    ngx_add_timer(wev, core->send_timeout);
  }
  if (ngx_handle_write_event(wev, core->send_lowat) != NGX_OK) {
    finish(watcher, NGX_ERROR);
  }
}

void on_writable(ngx_http_request_t* r) noexcept {
  Watcher* watcher = watcher_of(r);
  ngx_connection_t* c = r->connection;
  if (watcher == nullptr) {
    return;
  }
  if (c->write->timedout) {
    c->timedout = 1;
    return finish(watcher, NGX_HTTP_REQUEST_TIME_OUT);
  }
  after_sending(watcher, ngx_http_output_filter(r, nullptr));
}

void send(Watcher* watcher, std::string text) {
  watcher->text = std::move(text);
  ngx_buf_t* buf = watcher->buf;
  ngx_memzero(buf, sizeof(ngx_buf_t));
  buf->start = buf->pos = reinterpret_cast<u_char*>(watcher->text.data());
  buf->end = buf->last = buf->pos + watcher->text.size();
  buf->memory = 1;
  buf->flush = 1;
  ngx_chain_t out{buf, nullptr};
  after_sending(watcher, ngx_http_output_filter(watcher->r, &out));
}

void tell(Watcher* watcher, const std::string& changed, bool heartbeat) {
  ngx_http_set_log_request(watcher->r->connection->log, watcher->r);
  if (is_sending(watcher->r)) {
    watcher->behind = watcher->behind || !changed.empty();
  } else if (watcher->behind) {
    watcher->behind = false;
    send(watcher, watching().feed->all());
  } else if (!changed.empty()) {
    send(watcher, changed);
  } else if (heartbeat) {
    send(watcher, ": still here\n\n");
  }
}

void tell_all() {
  Watching& here = watching();
  const std::string changed = here.feed->look();
  const bool heartbeat = ++here.looks % kHeartbeatLooks == 0;
  const std::vector<Watcher*> all = here.watchers;  // those who cannot be told leave the list
  for (Watcher* watcher : all) {
    ngx_connection_t* c = watcher->r->connection;
    tell(watcher, changed, heartbeat);
    ngx_http_run_posted_requests(c);
  }
}

// The last chunk, and the end of the request, whenever the client has taken it.
void end_all() {
  const std::vector<Watcher*> all = std::exchange(watching().watchers, {});
  for (Watcher* watcher : all) {
    ngx_http_request_t* r = watcher->r;
    ngx_connection_t* c = r->connection;
    ngx_http_set_log_request(c->log, r);
    ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
    ngx_http_run_posted_requests(c);
  }
}

void on_timer(ngx_event_t* ev) noexcept {
  Watching& here = watching();
  const bool leaving = ngx_exiting || ngx_terminate || ngx_quit || application() == nullptr;
  const bool told = !leaving && guard(ev->log, "events", false, [] { return tell_all(), true; });
  if (!told) {
    end_all();
  }
  if (here.watchers.empty()) {
    here.feed.reset();
  } else {
    ngx_add_timer(ev, kLookMs);  // a draining worker waits for it, and ends them
  }
}

void start_looking(app::Application& app) {
  Watching& here = watching();
  if (here.feed == nullptr) {
    here.feed = std::make_unique<api::EventFeed>(app);
    (void)here.feed->look();
  }
  if (!here.timer.timer_set) {
    here.no_connection.fd = static_cast<ngx_socket_t>(-1);
    here.timer.data = &here.no_connection;
    here.timer.log = ngx_cycle->log;
    here.timer.handler = on_timer;
    ngx_add_timer(&here.timer, kLookMs);
  }
}

// nullptr when out of memory.
Watcher* add_watcher(ngx_http_request_t* r) {
  auto* watcher = pool_new<Watcher>(r->pool);
  ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(r, 0);
  if (watcher == nullptr || cleanup == nullptr) {
    return nullptr;
  }
  watcher->r = r;
  watcher->buf = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  if (watcher->buf == nullptr) {
    return nullptr;
  }
  watching().watchers.push_back(watcher);
  cleanup->data = watcher;
  cleanup->handler = [](void* data) { forget(static_cast<Watcher*>(data)); };
  return watcher;
}

ngx_int_t send_head(ngx_http_request_t* r) {
  // X-Accel-Buffering: an nginx in front is not to wait until its buffer is full.
  if (push_header(r, "Cache-Control", "no-store") == nullptr ||
      push_header(r, "X-Accel-Buffering", "no") == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  const ngx_str_t type = copy_to_pool(r->pool, api::kEventStream);
  if (type.data == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  r->headers_out.status = NGX_HTTP_OK;
  r->headers_out.content_type = type;
  r->headers_out.content_type_len = type.len;
  r->headers_out.content_type_lowcase = nullptr;
  ngx_http_clear_content_length(r);
  ngx_http_clear_accept_ranges(r);
  return ngx_http_send_header(r);
}

}  // namespace

ngx_int_t serve_events(ngx_http_request_t* r, app::Application& app) {
  if (r != r->main) {
    return NGX_HTTP_NOT_FOUND;  // of a subrequest there would never be an end
  }
  if (const ngx_int_t rc = ngx_http_discard_request_body(r); rc != NGX_OK) {
    return rc;
  }
  if (watching().watchers.size() >= kMostWatchers) {
    return push_header(r, "Retry-After", "5") != nullptr
               ? send_json_error(r, NGX_HTTP_SERVICE_UNAVAILABLE, "too_many_watchers",
                                 "Too many watch the events of this server; try again later.")
               : NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  if (const ngx_int_t rc = send_head(r); rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
    return rc;
  }
  start_looking(app);
  Watcher* watcher = add_watcher(r);
  if (watcher == nullptr) {
    return NGX_ERROR;
  }
  r->main->count++;  // the content handler's own goes with its NGX_DONE, this one with finish()
  if (!r->discard_body) {
    r->read_event_handler = ngx_http_test_reading;  // the client's end is the request's
  }
  if (r->connection->read->ready) {
    ngx_post_event(r->connection->read, &ngx_posted_events);  // it may have come already
  }
  send(watcher, watching().feed->all());
  return NGX_DONE;
}

}  // namespace recording::ngx
