#pragma once

#include <memory>
#include <stop_token>

#include "webhook/http_post.hpp"

namespace recording::webhook {

// By libcurl: http and https (certificates are checked), connections are kept. A try takes at most
// 10 s, and ends within a second when it is asked to stop.
std::unique_ptr<HttpPost> make_curl_post(std::stop_token stop);

}  // namespace recording::webhook
