#pragma once

#include "ngx_headers.hpp"

#include <map>
#include <string>

#include "boundary.hpp"
#include "runtime/records.hpp"

extern ngx_module_t ngx_rtmp_recording_module;
extern ngx_module_t ngx_rtmp_recording_gate_module;

namespace recording::ngx {

struct RtmpMainConf {
  Position first_on{};  // the first `recording on` of the file; line 0: none
};

// As nginx's slot setters fill it; the units are nginx's.
struct RtmpAppConfSlots {
  ngx_flag_t recording = NGX_CONF_UNSET;
  ngx_flag_t auto_record = NGX_CONF_UNSET;
  ngx_flag_t end_on_unpublish = NGX_CONF_UNSET;
  ngx_flag_t takeover = NGX_CONF_UNSET;
  ngx_msec_t fragment = NGX_CONF_UNSET_MSEC;
  ngx_msec_t reconnect_window = NGX_CONF_UNSET_MSEC;
  ngx_msec_t min_duration = NGX_CONF_UNSET_MSEC;
  ngx_msec_t max_duration = NGX_CONF_UNSET_MSEC;
  ngx_msec_t takeover_timeout = NGX_CONF_UNSET_MSEC;
  ngx_msec_t drain_timeout = NGX_CONF_UNSET_MSEC;  // 0: off
  ngx_uint_t sync = NGX_CONF_UNSET_UINT;           // as RecordingRules::sync
  ngx_uint_t preroll = NGX_CONF_UNSET_UINT;        // 0 off, 1 gop
  ngx_uint_t gap = NGX_CONF_UNSET_UINT;            // 0 close, 1 keep
  size_t buffer = NGX_CONF_UNSET_SIZE;
  Position recording_at{};  // where `recording` stands; inherited with its value
};
static_assert(std::is_standard_layout_v<RtmpAppConfSlots>);

struct RtmpAppConf : RtmpAppConfSlots {
  runtime::RecordingRules rules;  // the same, as the core wants it; complete after the merge
};

// Of the application of a session; never null once the session has connected to an application.
const RtmpAppConf* rtmp_app_conf(const ngx_rtmp_session_t* s) noexcept;
// Null without an rtmp { } block.
const RtmpMainConf* rtmp_main_conf(const ngx_cycle_t* cycle) noexcept;
// The applications with `recording on`, and their auto_record; of two of one name the first counts.
std::map<std::string, bool> recordable_applications(const ngx_cycle_t* cycle);
// The port of the first `listen` of rtmp { }, for push_url; 0: none.
unsigned rtmp_port(const ngx_cycle_t* cycle) noexcept;

// The parts of the module that ngx_rtmp_recording_module.cpp puts together.
extern ngx_command_t rtmp_recording_commands[];
void* create_rtmp_main_conf(ngx_conf_t* cf) noexcept;
void* create_rtmp_app_conf(ngx_conf_t* cf) noexcept;
char* merge_rtmp_app_conf(ngx_conf_t* cf, void* parent, void* child) noexcept;
// For postconfiguration, when every module has merged: `recording on` needs `live on`.
ngx_int_t check_rtmp_applications(ngx_conf_t* cf) noexcept;

}  // namespace recording::ngx
