#include "ngx_headers.hpp"

#include "ngx_rtmp_publisher.hpp"
#include "ngx_rtmp_recording_conf.hpp"

namespace recording::ngx {
namespace {

ngx_int_t postconfiguration(ngx_conf_t* cf) noexcept {
  const ngx_int_t rc = check_rtmp_applications(cf);
  return rc == NGX_OK ? hook_publisher(cf) : rc;
}

ngx_rtmp_module_t module_ctx = {
    nullptr,                // preconfiguration
    postconfiguration,      // postconfiguration
    create_rtmp_main_conf,  // create main configuration
    nullptr,                // init main configuration
    nullptr,                // create server configuration
    nullptr,                // merge server configuration
    create_rtmp_app_conf,   // create application configuration
    merge_rtmp_app_conf,    // merge application configuration
};

}  // namespace
}  // namespace recording::ngx

ngx_module_t ngx_rtmp_recording_module = {NGX_MODULE_V1,
                                          &recording::ngx::module_ctx,
                                          recording::ngx::rtmp_recording_commands,
                                          NGX_RTMP_MODULE,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          NGX_MODULE_V1_PADDING};
