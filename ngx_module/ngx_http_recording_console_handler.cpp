#include "ngx_headers.hpp"

#include <algorithm>
#include <string>

#include "api/console_json.hpp"
#include "boundary.hpp"
#include "ngx_application.hpp"
#include "ngx_http_pages.hpp"
#include "ngx_http_recording_conf.hpp"
#include "ngx_http_reply.hpp"
#include "ngx_http_request_path.hpp"
#include "ngx_str.hpp"
#include "pages/console_assets.hpp"

namespace recording::ngx {
namespace {

// Relative links of the page need the slash at the end of "/console"; so does this one, for a proxy
// may call the folder something else.
ngx_int_t redirect_into(ngx_http_request_t* r) {
  const std::string_view uri = to_view(r->uri);
  std::string to = "./" + percent_encode_path(uri.substr(uri.rfind('/') + 1)) + "/";
  r->headers_out.location = push_header(r, "Location", to);
  return r->headers_out.location != nullptr ? NGX_HTTP_MOVED_TEMPORARILY
                                            : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t send_config(ngx_http_request_t* r) {
  app::Application* app = application();
  if (app == nullptr) {
    return NGX_HTTP_SERVICE_UNAVAILABLE;
  }
  std::string links = make_links(r, app->config()).to("");
  links.erase(std::min(links.find('?'), links.size()));
  const std::string config =
      api::console_config(location_prefix(r), api_prefix(r), own_files_prefix(r), links);
  return push_header(r, "Cache-Control", "no-store") != nullptr
             ? send_body(r, NGX_HTTP_OK, "application/json", config)
             : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t handle(ngx_http_request_t* r) {
  if (const ngx_int_t rc = accept_reading(r); rc != NGX_OK) {
    return rc;
  }
  const auto path = decoded_path(r);
  if (!path) {
    return NGX_HTTP_NOT_FOUND;
  }
  if (path->empty()) {
    return to_view(r->uri).ends_with('/')
               ? serve_page(r, pages::console_page(), NGX_HTTP_OK, pages::kConsolePolicy)
               : redirect_into(r);
  }
  if (*path == "config.json") {
    return send_config(r);
  }
  constexpr std::string_view kAssets = "assets/";
  if (!path->starts_with(kAssets)) {
    return NGX_HTTP_NOT_FOUND;
  }
  const auto found = pages::find_console_asset(path->substr(kAssets.size()));
  if (found.asset == nullptr) {
    return NGX_HTTP_NOT_FOUND;
  }
  return found.current ? serve_for_ever(r, *found.asset) : serve_asset(r, *found.asset);
}

}  // namespace

ngx_int_t console_handler(ngx_http_request_t* r) noexcept {
  return guard(r->connection->log, "console", NGX_HTTP_INTERNAL_SERVER_ERROR,
               [&] { return handle(r); });
}

}  // namespace recording::ngx
