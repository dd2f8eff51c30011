#include "ngx_http_reply.hpp"

#include <string>

#include "ngx_str.hpp"

namespace recording::ngx {

ngx_table_elt_t* push_header(ngx_http_request_t* r, std::string_view key,
                             std::string_view value) noexcept {
  auto* header = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (header == nullptr) {
    return nullptr;
  }
  header->hash = 0;  // not sent, should the copies fail
  header->key = copy_to_pool(r->pool, key);
  header->value = copy_to_pool(r->pool, value);
  if (header->key.data == nullptr || header->value.data == nullptr) {
    return nullptr;
  }
  header->hash = 1;
  return header;
}

ngx_int_t accept_reading(ngx_http_request_t* r) noexcept {
  if ((r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) == 0) {
    return push_header(r, "Allow", "GET, HEAD") != nullptr ? NGX_HTTP_NOT_ALLOWED
                                                           : NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  return ngx_http_discard_request_body(r);
}

ngx_int_t send_body(ngx_http_request_t* r, ngx_uint_t status, std::string_view content_type,
                    std::string_view body) noexcept {
  auto* buf = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  const ngx_str_t text = copy_to_pool(r->pool, body);
  const ngx_str_t type = copy_to_pool(r->pool, content_type);
  if (buf == nullptr || text.data == nullptr || type.data == nullptr) {
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  r->headers_out.status = status;
  r->headers_out.content_length_n = static_cast<off_t>(text.len);
  if (!body.empty()) {
    r->headers_out.content_type = type;
    r->headers_out.content_type_len = type.len;
    r->headers_out.content_type_lowcase = nullptr;
  } else if (status == NGX_HTTP_NO_CONTENT) {
    ngx_http_clear_content_length(r);
  }
  const ngx_int_t rc = ngx_http_send_header(r);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
    return rc;
  }
  buf->pos = text.data;
  buf->last = text.data + text.len;
  buf->memory = text.len > 0 ? 1 : 0;
  buf->last_buf = r == r->main ? 1 : 0;
  buf->last_in_chain = 1;
  if (text.len == 0 && buf->last_buf == 0) {
    buf->sync = 1;  // of a subrequest: an empty buffer must be a special one
  }
  ngx_chain_t out{buf, nullptr};
  return ngx_http_output_filter(r, &out);
}

ngx_int_t send_json_error(ngx_http_request_t* r, ngx_uint_t status, std::string_view code,
                          std::string_view message) {
  std::string body = R"({"error":{"code":")";
  body += code;
  body += R"(","message":")";
  body += message;
  body += "\"}}";
  return send_body(r, status, "application/json", body);
}

ngx_uint_t http_status(Errc code) noexcept {
  switch (code) {
    case Errc::kInvalidArgument:
      return NGX_HTTP_BAD_REQUEST;
    case Errc::kNotFound:
      return NGX_HTTP_NOT_FOUND;
    case Errc::kConflict:
      return NGX_HTTP_CONFLICT;
    case Errc::kNoSpace:
      return 422;  // RFC 9110, 15.5.21; nginx has no name for it
    case Errc::kUnavailable:
      return NGX_HTTP_SERVICE_UNAVAILABLE;
    case Errc::kIo:
    case Errc::kCorrupt:
    case Errc::kInternal:
      break;
  }
  return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace recording::ngx
