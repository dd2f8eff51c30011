#include "ngx_headers.hpp"

#include "ngx_recording_conf.hpp"
#include "ngx_recording_process.hpp"

namespace recording::ngx {
namespace {

ngx_core_module_t module_ctx = {ngx_string("recording"), create_recording_conf,
                                init_recording_conf};

}  // namespace
}  // namespace recording::ngx

ngx_module_t ngx_recording_module = {NGX_MODULE_V1,
                                     &recording::ngx::module_ctx,
                                     recording::ngx::recording_commands,
                                     NGX_CORE_MODULE,
                                     nullptr,  // init master
                                     nullptr,  // init module
                                     recording::ngx::init_process,
                                     nullptr,  // init thread
                                     nullptr,  // exit thread
                                     recording::ngx::exit_process,
                                     nullptr,  // exit master
                                     NGX_MODULE_V1_PADDING};
