#include "ngx_headers.hpp"

#include "ngx_rtmp_publisher.hpp"
#include "ngx_rtmp_recording_conf.hpp"

namespace recording::ngx {
namespace {

ngx_command_t no_commands[] = {ngx_null_command};
ngx_rtmp_module_t module_ctx = {
    nullptr,    // preconfiguration
    hook_gate,  // postconfiguration
    nullptr,    // create main configuration
    nullptr,    // init main configuration
    nullptr,    // create server configuration
    nullptr,    // merge server configuration
    nullptr,    // create application configuration
    nullptr,    // merge application configuration
};

}  // namespace
}  // namespace recording::ngx

ngx_module_t ngx_rtmp_recording_gate_module = {NGX_MODULE_V1,
                                               &recording::ngx::module_ctx,
                                               recording::ngx::no_commands,
                                               NGX_RTMP_MODULE,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               NGX_MODULE_V1_PADDING};
