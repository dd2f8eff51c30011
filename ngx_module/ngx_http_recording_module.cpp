#include "ngx_headers.hpp"

#include "ngx_http_recording_conf.hpp"

namespace recording::ngx {
namespace {

ngx_http_module_t module_ctx = {
    nullptr,                // preconfiguration
    check_consoles,         // postconfiguration
    create_http_main_conf,  // create main configuration
    nullptr,                // init main configuration
    nullptr,                // create server configuration
    nullptr,                // merge server configuration
    create_http_loc_conf,   // create location configuration
    merge_http_loc_conf,    // merge location configuration
};

}  // namespace
}  // namespace recording::ngx

ngx_module_t ngx_http_recording_module = {NGX_MODULE_V1,
                                          &recording::ngx::module_ctx,
                                          recording::ngx::http_recording_commands,
                                          NGX_HTTP_MODULE,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          NGX_MODULE_V1_PADDING};
