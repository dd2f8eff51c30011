#pragma once

#include "ngx_headers.hpp"

#include <map>
#include <string>
#include <vector>

#include "boundary.hpp"
#include "transcode/settings.hpp"

extern ngx_module_t ngx_rtmp_transcoder_module;

namespace recording::ngx {

// As nginx's slot setters fill it; the units are nginx's.
struct TranscoderConfSlots {
  ngx_flag_t transcoder = NGX_CONF_UNSET;
  ngx_msec_t segment = NGX_CONF_UNSET_MSEC;
  ngx_int_t restarts = NGX_CONF_UNSET;
  ngx_str_t command{};    // as given; empty: not given
  Position at{};          // where `transcoder` stands; inherited with its value, as the next ones
  Position path_at{};     // where `transcoder_path` stands
  Position command_at{};  // line 0: not given
};
static_assert(std::is_standard_layout_v<TranscoderConfSlots>);

struct TranscoderConf : TranscoderConfSlots {
  transcode::TranscoderSettings settings;  // complete after the merge
};

struct TranscoderMainConf {
  Position first_on{};  // the first `transcoder on` of the file; line 0: none
};

// Of the application of a session; null when `transcoder` is off there.
const TranscoderConf* transcoder_conf(const ngx_rtmp_session_t* s) noexcept;
// Null without an rtmp { } block.
const TranscoderMainConf* transcoder_main_conf(const ngx_cycle_t* cycle) noexcept;
// Of every application with `transcoder on`, by name; of two of one name the first counts.
std::map<std::string, const TranscoderConf*> transcoders(const ngx_cycle_t* cycle);
// The same: transcoder_path alone.
std::map<std::string, std::string> transcoded_applications(const ngx_cycle_t* cycle);
// For postconfiguration, when every module has merged: `transcoder on` needs `live on`.
ngx_int_t check_transcoders(ngx_conf_t* cf) noexcept;

}  // namespace recording::ngx
