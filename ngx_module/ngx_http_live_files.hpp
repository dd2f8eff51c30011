#pragma once

#include "ngx_headers.hpp"

#include "app/application.hpp"
#include "transcode/live_path.hpp"

namespace recording::ngx {

// Answers with a file of live playback, or sends the player to the current run's. For the content
// handler, which returns the result.
ngx_int_t serve_live(ngx_http_request_t* r, app::Application& app, const transcode::LivePath& path);

}  // namespace recording::ngx
