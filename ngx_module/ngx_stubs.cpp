// Weak stand-ins for what is not written yet; delete this file when all of it is.
#include "ngx_headers.hpp"

#include "ngx_http_recording_conf.hpp"
#include "ngx_recording_process.hpp"

namespace recording::ngx {

__attribute__((weak)) ngx_int_t init_process(ngx_cycle_t* /*cycle*/) noexcept { return NGX_OK; }
__attribute__((weak)) void exit_process(ngx_cycle_t* /*cycle*/) noexcept {}
__attribute__((weak)) ngx_int_t api_handler(ngx_http_request_t* /*r*/) noexcept {
  return NGX_HTTP_NOT_FOUND;
}
__attribute__((weak)) ngx_int_t files_handler(ngx_http_request_t* /*r*/) noexcept {
  return NGX_HTTP_NOT_FOUND;
}

}  // namespace recording::ngx
