#pragma once

#include "ngx_headers.hpp"

#include "pages/assets.hpp"

namespace recording::ngx {

// Sends one of the program's own files; the result is for ngx_http_finalize_request().
ngx_int_t serve_page(ngx_http_request_t* r, const pages::Asset& page,
                     ngx_uint_t status = NGX_HTTP_OK, std::string_view policy = pages::kPagePolicy);
ngx_int_t serve_asset(ngx_http_request_t* r, const pages::Asset& asset);
// One whose address changes with its content: it is never asked for again.
ngx_int_t serve_for_ever(ngx_http_request_t* r, const pages::Asset& asset);

}  // namespace recording::ngx
