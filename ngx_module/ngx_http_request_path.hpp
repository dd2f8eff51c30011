#pragma once

#include "ngx_headers.hpp"

#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace recording::ngx {

// What the request's path has after the prefix of its location, without a slash in front; nothing
// when it does not continue it at a slash, as /streaming2 in `location /streaming`.
//
// decoded: as nginx normalised it.
std::optional<std::string_view> decoded_path(ngx_http_request_t* r);
// raw: still percent-encoded, so that an encoded slash stays part of a name. It is the client's own
// spelling where that means the path that nginx matched and no rewrite changed it, else nginx's
// path encoded again: access rules of locations always apply to what is returned here.
std::optional<std::string> raw_path(ngx_http_request_t* r);

// Links to where recording_files serves.
exporter::Links make_links(ngx_http_request_t* r, const config::Config& config);
// Where encoders publish, with a final slash; empty: no rtmp server listens.
std::string rtmp_url(ngx_http_request_t* r);

// RFC 3986: unreserved characters and '/' stay.
std::string percent_encode_path(std::string_view path);
// As in nginx.conf: "/videos/".
std::string_view location_prefix(ngx_http_request_t* r);

}  // namespace recording::ngx
