#pragma once

// The one door to nginx's and nginx-rtmp's headers. Include it first: nginx sets _FILE_OFFSET_BITS
// and _GNU_SOURCE before it includes system headers, and none of these headers has extern "C".
extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_thread_pool.h>
#include <ngx_rtmp.h>
#include <ngx_rtmp_amf.h>
#include <ngx_rtmp_cmd_module.h>
#include <ngx_rtmp_codec_module.h>
#include <ngx_rtmp_live_module.h>
#include <ngx_rtmp_relay_module.h>

extern ngx_module_t ngx_rtmp_module;  // in no header of nginx-rtmp
extern ngx_module_t ngx_thread_pool_module;
}
