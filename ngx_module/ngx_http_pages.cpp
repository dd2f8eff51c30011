#include "ngx_headers.hpp"

#include "ngx_http_pages.hpp"

#include "ngx_http_reply.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

// They are there as long as the program is: nothing is copied.
// A browser asks each time whether one has changed, which a new version of the module does.
ngx_int_t send_asset(ngx_http_request_t* r, const pages::Asset& asset,
                     std::string_view caching = "no-cache", ngx_uint_t status = NGX_HTTP_OK) {
  const ngx_str_t type = copy_to_pool(r->pool, asset.content_type);
  auto* buf = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  r->headers_out.etag = push_header(r, "ETag", asset.etag);
  if (type.data == nullptr || buf == nullptr || r->headers_out.etag == nullptr ||
      push_header(r, "Cache-Control", caching) == nullptr ||
      push_header(r, "X-Content-Type-Options", "nosniff") == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  r->headers_out.status = status;
  r->headers_out.content_length_n = static_cast<off_t>(asset.body.size());
  r->headers_out.content_type = type;
  r->headers_out.content_type_len = type.len;
  r->headers_out.content_type_lowcase = nullptr;
  const ngx_int_t rc = ngx_http_send_header(r);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
    return rc;
  }
  buf->pos = reinterpret_cast<u_char*>(const_cast<char*>(asset.body.data()));
  buf->last = buf->pos + asset.body.size();
  buf->memory = 1;
  buf->last_buf = r == r->main ? 1 : 0;
  buf->last_in_chain = 1;
  ngx_chain_t out{buf, nullptr};
  return ngx_http_output_filter(r, &out);
}

}  // namespace

ngx_int_t serve_page(ngx_http_request_t* r, const pages::Asset& page, ngx_uint_t status,
                     std::string_view policy) {
  if (push_header(r, "Content-Security-Policy", policy) == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  return send_asset(r, page, "no-cache", status);
}

ngx_int_t serve_asset(ngx_http_request_t* r, const pages::Asset& asset) {
  return send_asset(r, asset);
}

ngx_int_t serve_for_ever(ngx_http_request_t* r, const pages::Asset& asset) {
  return send_asset(r, asset, "public, max-age=31536000, immutable");
}

}  // namespace recording::ngx
