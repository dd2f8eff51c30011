#pragma once

#include "ngx_headers.hpp"

#include <string_view>

#include "base/result.hpp"

namespace recording::ngx {

// Appends a response header; both texts are copied. nullptr when out of memory.
ngx_table_elt_t* push_header(ngx_http_request_t* r, std::string_view key,
                             std::string_view value) noexcept;

// NGX_OK for GET and HEAD, whose body, should there be one, is passed over; else the answer's
// status.
ngx_int_t accept_reading(ngx_http_request_t* r) noexcept;

// Sends a whole answer from a copy of `body`; the result is for ngx_http_finalize_request().
ngx_int_t send_body(ngx_http_request_t* r, ngx_uint_t status, std::string_view content_type,
                    std::string_view body) noexcept;

// {"error":{"code":…,"message":…}}. Both are literals of ours that need no escaping in JSON.
ngx_int_t send_json_error(ngx_http_request_t* r, ngx_uint_t status, std::string_view code,
                          std::string_view message);

// The one table from what went wrong in the core to what a client is told.
ngx_uint_t http_status(Errc code) noexcept;

}  // namespace recording::ngx
