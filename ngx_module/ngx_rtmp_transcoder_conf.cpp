#include "ngx_headers.hpp"

#include "ngx_rtmp_transcoder_conf.hpp"

#include <string_view>

#include "config/values.hpp"
#include "ngx_rtmp_recording_conf.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

constexpr ngx_msec_t kShortestSegment = 500, kLongestSegment = 30000;
constexpr ngx_int_t kMostRestarts = 1000000;

TranscoderConf* to_conf(void* slots) noexcept {
  return static_cast<TranscoderConf*>(static_cast<TranscoderConfSlots*>(slots));
}

ngx_str_t& argument(ngx_conf_t* cf, ngx_uint_t number) noexcept {
  return static_cast<ngx_str_t*>(cf->args->elts)[number];
}

char* set_transcoder(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) noexcept {
  char* rv = ngx_conf_set_flag_slot(cf, cmd, conf);
  auto* slots = static_cast<TranscoderConfSlots*>(conf);
  slots->at = position_of(cf);
  auto* main = static_cast<TranscoderMainConf*>(
      ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_transcoder_module));
  if (slots->transcoder == 1 && main->first_on.line == 0) {
    main->first_on = slots->at;
  }
  return rv;
}

char* set_path(ngx_conf_t* cf, ngx_command_t* /*cmd*/, void* conf) noexcept {
  auto* slots = static_cast<TranscoderConfSlots*>(conf);
  if (slots->path_at.line != 0) {
    return conf_says("is duplicate");
  }
  if (const char* fault = config::parse_path(to_view(argument(cf, 1)), to_view(cf->cycle->prefix),
                                             to_conf(conf)->settings.path)) {
    return conf_says(fault);
  }
  slots->path_at = position_of(cf);
  return NGX_CONF_OK;
}

char* set_command(ngx_conf_t* cf, ngx_command_t* /*cmd*/, void* conf) noexcept {
  auto* slots = static_cast<TranscoderConfSlots*>(conf);
  if (slots->command_at.line != 0) {
    return conf_says("is duplicate");
  }
  slots->command = argument(cf, 1);
  slots->command_at = position_of(cf);
  return slots->command.len == 0 ? conf_says("must be a program") : NGX_CONF_OK;
}

char* set_rendition(ngx_conf_t* cf, ngx_command_t* /*cmd*/, void* conf) noexcept {
  return guard(cf->log, "transcoder_rendition", conf_error(), [&]() -> char* {
    return conf_says(config::add_rendition(parameters_of(cf), to_conf(conf)->settings.renditions));
  });
}

char* check_segment(ngx_conf_t* /*cf*/, void* /*post*/, void* data) noexcept {
  const ngx_msec_t value = *static_cast<const ngx_msec_t*>(data);
  return value < kShortestSegment || value > kLongestSegment
             ? conf_says("must be from 500ms to 30s")
             : NGX_CONF_OK;
}
ngx_conf_post_t segment_post{check_segment};
ngx_conf_num_bounds_t restarts_bounds{ngx_conf_check_num_bounds, 0, kMostRestarts};

ngx_command_t commands[] = {
    {ngx_string("transcoder"),
     NGX_RTMP_MAIN_CONF | NGX_RTMP_SRV_CONF | NGX_RTMP_APP_CONF | NGX_CONF_FLAG, set_transcoder,
     NGX_RTMP_APP_CONF_OFFSET, offsetof(TranscoderConfSlots, transcoder), nullptr},
    {ngx_string("transcoder_rendition"),
     NGX_RTMP_MAIN_CONF | NGX_RTMP_SRV_CONF | NGX_RTMP_APP_CONF | NGX_CONF_2MORE, set_rendition,
     NGX_RTMP_APP_CONF_OFFSET, 0, nullptr},
    {ngx_string("transcoder_path"),
     NGX_RTMP_MAIN_CONF | NGX_RTMP_SRV_CONF | NGX_RTMP_APP_CONF | NGX_CONF_TAKE1, set_path,
     NGX_RTMP_APP_CONF_OFFSET, 0, nullptr},
    {ngx_string("transcoder_segment"),
     NGX_RTMP_MAIN_CONF | NGX_RTMP_SRV_CONF | NGX_RTMP_APP_CONF | NGX_CONF_TAKE1,
     ngx_conf_set_msec_slot, NGX_RTMP_APP_CONF_OFFSET, offsetof(TranscoderConfSlots, segment),
     &segment_post},
    {ngx_string("transcoder_restarts"),
     NGX_RTMP_MAIN_CONF | NGX_RTMP_SRV_CONF | NGX_RTMP_APP_CONF | NGX_CONF_TAKE1,
     ngx_conf_set_num_slot, NGX_RTMP_APP_CONF_OFFSET, offsetof(TranscoderConfSlots, restarts),
     &restarts_bounds},
    {ngx_string("transcoder_command"),
     NGX_RTMP_MAIN_CONF | NGX_RTMP_SRV_CONF | NGX_RTMP_APP_CONF | NGX_CONF_TAKE1, set_command,
     NGX_RTMP_APP_CONF_OFFSET, 0, nullptr},
    ngx_null_command};

void* create_main_conf(ngx_conf_t* cf) noexcept {
  return guard(cf->log, "create_main_conf", nullptr,
               [&]() -> void* { return pool_new<TranscoderMainConf>(cf->pool); });
}

void* create_app_conf(ngx_conf_t* cf) noexcept {
  return guard(cf->log, "create_app_conf", nullptr, [&]() -> void* {
    return static_cast<TranscoderConfSlots*>(pool_new<TranscoderConf>(cf->pool));
  });
}

void inherit(TranscoderConf& conf, const TranscoderConf& prev) {
  if (conf.transcoder == NGX_CONF_UNSET) {
    conf.at = prev.at;
  }
  if (conf.path_at.line == 0) {
    conf.settings.path = prev.settings.path;
    conf.path_at = prev.path_at;
  }
  if (conf.command_at.line == 0) {
    conf.command = prev.command;
    conf.command_at = prev.command_at;
  }
  if (conf.settings.renditions.empty()) {
    conf.settings.renditions = prev.settings.renditions;
  }
  ngx_conf_merge_value(conf.transcoder, prev.transcoder, 0);
  ngx_conf_merge_value(conf.restarts, prev.restarts, 10);
  ngx_conf_merge_msec_value(conf.segment, prev.segment, 2000);
}

char* merge_app_conf(ngx_conf_t* cf, void* parent, void* child) noexcept {
  return guard(cf->log, "merge_app_conf", conf_error(), [&]() -> char* {
    TranscoderConf& conf = *to_conf(child);
    inherit(conf, *to_conf(parent));
    conf.settings.segment_ms = static_cast<std::int64_t>(conf.segment);
    conf.settings.restarts = static_cast<int>(conf.restarts);
    if (conf.transcoder == 1) {
      conf.settings.command = config::find_program(
          conf.command.len > 0 ? to_view(conf.command) : "ffmpeg", to_view(cf->cycle->prefix));
    }
    return NGX_CONF_OK;
  });
}

ngx_rtmp_conf_ctx_t* rtmp_contexts(const ngx_cycle_t* cycle) noexcept {
  return reinterpret_cast<ngx_rtmp_conf_ctx_t*>(ngx_get_conf(cycle->conf_ctx, ngx_rtmp_module));
}

ngx_rtmp_module_t module_ctx = {
    nullptr,            // preconfiguration
    check_transcoders,  // postconfiguration
    create_main_conf,   // create main configuration
    nullptr,            // init main configuration
    nullptr,            // create server configuration
    nullptr,            // merge server configuration
    create_app_conf,    // create application configuration
    merge_app_conf,     // merge application configuration
};

}  // namespace

const TranscoderConf* transcoder_conf(const ngx_rtmp_session_t* s) noexcept {
  const TranscoderConf* conf = to_conf(ngx_rtmp_get_module_app_conf(s, ngx_rtmp_transcoder_module));
  return conf != nullptr && conf->transcoder == 1 ? conf : nullptr;
}

const TranscoderMainConf* transcoder_main_conf(const ngx_cycle_t* cycle) noexcept {
  const ngx_rtmp_conf_ctx_t* ctx = rtmp_contexts(cycle);
  return ctx == nullptr ? nullptr
                        : static_cast<TranscoderMainConf*>(
                              ctx->main_conf[ngx_rtmp_transcoder_module.ctx_index]);
}

std::map<std::string, const TranscoderConf*> transcoders(const ngx_cycle_t* cycle) {
  std::map<std::string, const TranscoderConf*> found;
  const ngx_rtmp_conf_ctx_t* ctx = rtmp_contexts(cycle);
  if (ctx == nullptr) {
    return found;
  }
  const auto* core =
      static_cast<ngx_rtmp_core_main_conf_t*>(ctx->main_conf[ngx_rtmp_core_module.ctx_index]);
  auto** servers = static_cast<ngx_rtmp_core_srv_conf_t**>(core->servers.elts);
  for (ngx_uint_t i = 0; i < core->servers.nelts; ++i) {
    auto** apps = static_cast<ngx_rtmp_core_app_conf_t**>(servers[i]->applications.elts);
    for (ngx_uint_t j = 0; j < servers[i]->applications.nelts; ++j) {
      const auto* conf = to_conf(apps[j]->app_conf[ngx_rtmp_transcoder_module.ctx_index]);
      const auto* live =
          static_cast<ngx_rtmp_live_app_conf_t*>(apps[j]->app_conf[ngx_rtmp_live_module.ctx_index]);
      if (conf->transcoder == 1 && live->live == 1) {
        found.emplace(to_string(apps[j]->name), conf);
      }
    }
  }
  return found;
}

std::map<std::string, std::string> transcoded_applications(const ngx_cycle_t* cycle) {
  std::map<std::string, std::string> found;
  for (const auto& [app, conf] : transcoders(cycle)) {
    found.emplace(app, conf->settings.path);
  }
  return found;
}

}  // namespace recording::ngx

ngx_module_t ngx_rtmp_transcoder_module = {NGX_MODULE_V1,
                                           &recording::ngx::module_ctx,
                                           recording::ngx::commands,
                                           NGX_RTMP_MODULE,
                                           nullptr,
                                           nullptr,
                                           nullptr,
                                           nullptr,
                                           nullptr,
                                           nullptr,
                                           nullptr,
                                           NGX_MODULE_V1_PADDING};
