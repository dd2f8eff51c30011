#include "ngx_headers.hpp"

#include "api/metrics_text.hpp"
#include "boundary.hpp"
#include "ngx_application.hpp"
#include "ngx_http_pending.hpp"
#include "ngx_http_recording_conf.hpp"
#include "ngx_http_reply.hpp"

namespace recording::ngx {
namespace {

// What only the catalogue knows is left out while that is away: the rest is as true.
ngx_int_t send(ngx_http_request_t* r, const Result<catalog::WorkFigures>& jobs) {
  auto text = api::metrics_text(application()->state(),
                                jobs ? std::optional(Result(jobs).value()) : std::nullopt);
  if (!text) {
    log_error(r->connection->log, "metrics", text.error());
    return static_cast<ngx_int_t>(http_status(text.error().code));
  }
  return push_header(r, "Cache-Control", "no-store") != nullptr
             ? send_body(r, NGX_HTTP_OK, api::kMetricsType, text.value())
             : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t handle(ngx_http_request_t* r) {
  if (const ngx_int_t rc = accept_reading(r); rc != NGX_OK) {
    return rc;
  }
  app::Application* app = application();
  if (app == nullptr) {
    return NGX_HTTP_SERVICE_UNAVAILABLE;
  }
  auto pending = PendingRequest::of(r);
  if (pending == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  app->catalog().read([](catalog::Catalog& rows) { return rows.work_figures(); },
                      [pending](Result<catalog::WorkFigures> jobs) {
                        pending->resume("metrics", [&](ngx_http_request_t* request) {
                          pending->finish(send(request, jobs));
                        });
                      });
  return pending->suspend();
}

}  // namespace

ngx_int_t metrics_handler(ngx_http_request_t* r) noexcept {
  return guard(r->connection->log, "metrics", NGX_HTTP_INTERNAL_SERVER_ERROR,
               [&] { return handle(r); });
}

}  // namespace recording::ngx
