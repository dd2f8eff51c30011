#include "ngx_headers.hpp"

#include <memory>
#include <string>
#include <utility>

#include "api/api.hpp"
#include "ngx_application.hpp"
#include "ngx_http_events.hpp"
#include "ngx_http_pending.hpp"
#include "ngx_http_recording_conf.hpp"
#include "ngx_http_reply.hpp"
#include "ngx_http_request_path.hpp"
#include "ngx_http_small_body.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024;

api::Method method_of(const ngx_http_request_t* r) {
  switch (r->method) {
    case NGX_HTTP_GET:
      return api::Method::kGet;
    case NGX_HTTP_HEAD:
      return api::Method::kHead;
    case NGX_HTTP_POST:
      return api::Method::kPost;
    case NGX_HTTP_PUT:
      return api::Method::kPut;
    case NGX_HTTP_PATCH:
      return api::Method::kPatch;
    case NGX_HTTP_DELETE:
      return api::Method::kDelete;
    default:
      return api::Method::kOther;
  }
}

api::Request make_request(ngx_http_request_t* r, std::string path, std::string body,
                          const config::Config& config) {
  api::Request request;
  request.method = method_of(r);
  request.path = std::move(path);
  request.query = to_string(r->args);
  if (r->headers_in.content_type != nullptr) {
    request.content_type = to_string(r->headers_in.content_type->value);
  }
  request.body = std::move(body);
  request.links = make_links(r, config);
  request.rtmp_url = rtmp_url(r);
  if (config.applications.size() == 1) {
    request.default_app = config.applications.begin()->first;
  }
  return request;
}

// What the API says is of this moment.
bool forbid_storing(ngx_http_request_t* r) {
  return push_header(r, "Cache-Control", "no-store") != nullptr;
}

ngx_int_t send_response(ngx_http_request_t* r, const api::Response& response) {
  if (!forbid_storing(r) ||
      (response.allow && push_header(r, "Allow", *response.allow) == nullptr)) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  return send_body(r, static_cast<ngx_uint_t>(response.status), response.content_type,
                   response.body);
}

ngx_int_t send_error(ngx_http_request_t* r, ngx_uint_t status, std::string_view code,
                     std::string_view message) {
  return forbid_storing(r) ? send_json_error(r, status, code, message)
                           : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

void ask_api(const std::shared_ptr<PendingRequest>& pending, ngx_http_request_t* r,
             app::Application& app, std::string path, std::string body) {
  app.api().handle(make_request(r, std::move(path), std::move(body), app.config()),
                   [pending](const api::Response& response) {
                     pending->resume("api", [&](ngx_http_request_t* request) {
                       pending->finish(send_response(request, response));
                     });
                   });
}

void on_body(const std::shared_ptr<PendingRequest>& pending, ngx_http_request_t* r, ngx_int_t rc,
             std::string path, std::string body) {
  if (rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
    return pending->finish(
        send_error(r, static_cast<ngx_uint_t>(rc), "body_too_large",
                   "The body of the request is larger than 64 KiB; send only the fields to set."));
  }
  if (rc != NGX_OK) {
    return pending->finish(rc);
  }
  app::Application* app = application();  // it may have gone while the body came
  if (app == nullptr) {
    return pending->finish(NGX_HTTP_SERVICE_UNAVAILABLE);
  }
  ask_api(pending, r, *app, std::move(path), std::move(body));
}

// Answers without looking at the body.
ngx_int_t answer_at_once(ngx_http_request_t* r, ngx_uint_t status, std::string_view code,
                         std::string_view message) {
  const ngx_int_t rc = ngx_http_discard_request_body(r);
  return rc == NGX_OK ? send_error(r, status, code, message) : rc;
}

ngx_int_t handle(ngx_http_request_t* r) {
  if (application() == nullptr) {
    return answer_at_once(r, NGX_HTTP_SERVICE_UNAVAILABLE, "unavailable",
                          "Recording does not run in this nginx; its error log says why.");
  }
  auto path = raw_path(r);
  if (!path) {
    return answer_at_once(r, NGX_HTTP_NOT_FOUND, "no_such_path", "There is no such path.");
  }
  if (*path == "events" && (r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) != 0) {
    return serve_events(r, *application());
  }
  const auto pending = PendingRequest::of(r);
  if (pending == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  pending->resume("api", [&](ngx_http_request_t* request) {
    const auto then = [pending, path = *path](ngx_http_request_t* ready, ngx_int_t rc,
                                              std::string body) {
      on_body(pending, ready, rc, path, std::move(body));
    };
    if (!SmallBody::read(pending, kMaxBody, then)) {
      pending->fail();
    }
    (void)request;
  });
  return pending->suspend();
}

}  // namespace

ngx_int_t api_handler(ngx_http_request_t* r) noexcept {
  return guard(r->connection->log, "api", NGX_HTTP_INTERNAL_SERVER_ERROR,
               [&] { return handle(r); });
}

}  // namespace recording::ngx
