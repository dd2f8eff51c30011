#pragma once

#include "ngx_headers.hpp"

#include "app/application.hpp"

namespace recording::ngx {

// GET /events of the API: keeps the connection open and sends what changes, as api::EventFeed finds
// it once a second while anybody watches. It ends when this worker drains, so that the browser
// comes back to another. The result is for the content handler to return.
ngx_int_t serve_events(ngx_http_request_t* r, app::Application& app);

}  // namespace recording::ngx
