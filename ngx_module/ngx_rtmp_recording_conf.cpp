#include "ngx_rtmp_recording_conf.hpp"

#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

constexpr ngx_msec_t kSecond = 1000;
constexpr ngx_msec_t kHour = 3600 * kSecond;

// What cmd->post of a time points to: the post handler that nginx calls, then its bounds.
struct TimeBounds {
  ngx_conf_post_handler_pt handler;
  ngx_msec_t low, high;
  const char* fault;
};

char* check_time(ngx_conf_t* /*cf*/, void* post, void* data) noexcept {
  const auto* bounds = static_cast<const TimeBounds*>(post);
  const ngx_msec_t value = *static_cast<const ngx_msec_t*>(data);
  return value < bounds->low || value > bounds->high ? conf_says(bounds->fault) : NGX_CONF_OK;
}

char* check_max_duration(ngx_conf_t* /*cf*/, void* /*post*/, void* data) noexcept {
  const ngx_msec_t value = *static_cast<const ngx_msec_t*>(data);
  return value != 0 && value < 10 * kSecond ? conf_says("must be 0 or at least 10s") : NGX_CONF_OK;
}

char* check_buffer(ngx_conf_t* /*cf*/, void* /*post*/, void* data) noexcept {
  const size_t value = *static_cast<const size_t*>(data);
  return value < (size_t{1} << 20) ? conf_says("must be at least 1m") : NGX_CONF_OK;
}

TimeBounds fragment_bounds{check_time, 100, 60 * kSecond, "must be from 100ms to 60s"};
TimeBounds window_bounds{check_time, 0, kHour, "must be from 0 to 1h"};
TimeBounds min_duration_bounds{check_time, 0, 24 * kHour, "must be from 0 to 24h"};
TimeBounds takeover_bounds{check_time, 100, 90 * kSecond, "must be from 100ms to 90s"};
ngx_conf_post_t max_duration_post{check_max_duration};
ngx_conf_post_t buffer_post{check_buffer};

ngx_conf_enum_t sync_values[] = {{ngx_string("off"), 0},
                                 {ngx_string("fragment"), 1},
                                 {ngx_string("close"), 2},
                                 {ngx_null_string, 0}};
ngx_conf_enum_t preroll_values[] = {
    {ngx_string("off"), 0}, {ngx_string("gop"), 1}, {ngx_null_string, 0}};
ngx_conf_enum_t gap_values[] = {
    {ngx_string("close"), 0}, {ngx_string("keep"), 1}, {ngx_null_string, 0}};

RtmpAppConf* to_app_conf(void* slots) noexcept {
  return static_cast<RtmpAppConf*>(static_cast<RtmpAppConfSlots*>(slots));
}

char* set_recording(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) noexcept {
  char* rv = ngx_conf_set_flag_slot(cf, cmd, conf);
  if (rv != NGX_CONF_OK) {
    return rv;
  }
  auto* slots = static_cast<RtmpAppConfSlots*>(conf);
  slots->recording_at = position_of(cf);
  auto* main =
      static_cast<RtmpMainConf*>(ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_recording_module));
  if (slots->recording == 1 && main->first_on.line == 0) {
    main->first_on = slots->recording_at;
  }
  return NGX_CONF_OK;
}

char* set_drain_timeout(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) noexcept {
  auto* slots = static_cast<RtmpAppConfSlots*>(conf);
  const ngx_str_t& value = static_cast<ngx_str_t*>(cf->args->elts)[1];
  if (to_view(value) != "off") {
    return ngx_conf_set_msec_slot(cf, cmd, conf);
  }
  if (slots->drain_timeout != NGX_CONF_UNSET_MSEC) {
    return conf_says("is duplicate");
  }
  slots->drain_timeout = 0;
  return NGX_CONF_OK;
}

// Every directive stands in rtmp, server and application, and lives in the application's conf.
constexpr ngx_uint_t kAnywhere = NGX_RTMP_MAIN_CONF | NGX_RTMP_SRV_CONF | NGX_RTMP_APP_CONF;

runtime::RecordingRules rules_of(const RtmpAppConfSlots& conf) {
  runtime::RecordingRules rules;
  rules.fragment_ms = static_cast<std::int64_t>(conf.fragment);
  rules.buffer_bytes = static_cast<std::int64_t>(conf.buffer);
  rules.reconnect_window_ms = static_cast<std::int64_t>(conf.reconnect_window);
  rules.min_duration_ms = static_cast<std::int64_t>(conf.min_duration);
  rules.max_duration_ms = static_cast<std::int64_t>(conf.max_duration);
  rules.sync = static_cast<std::uint8_t>(conf.sync);
  rules.end_on_unpublish = conf.end_on_unpublish == 1;
  rules.keep_gap = static_cast<std::uint8_t>(conf.gap);
  rules.preroll = static_cast<std::uint8_t>(conf.preroll);
  rules.auto_record = conf.auto_record == 1;
  rules.recordable = conf.recording == 1;
  rules.drain_timeout_ms = static_cast<std::int64_t>(conf.drain_timeout);
  return rules;
}

// `recording on` without `live on` records nothing. Written in the application itself that is an
// error; inherited, it may be an application of another kind (vod) that never gets a publisher.
ngx_int_t check_application(ngx_conf_t* cf, const ngx_rtmp_core_app_conf_t& app,
                            const Position& inherited) {
  auto* conf = static_cast<RtmpAppConfSlots*>(app.app_conf[ngx_rtmp_recording_module.ctx_index]);
  const auto* live =
      static_cast<ngx_rtmp_live_app_conf_t*>(app.app_conf[ngx_rtmp_live_module.ctx_index]);
  if (conf->recording != 1 || live->live == 1) {
    return NGX_OK;
  }
  const Position& at = conf->recording_at;
  const bool own = at.line != inherited.line || at.file.data != inherited.file.data;
  const ngx_uint_t level = own ? NGX_LOG_EMERG : NGX_LOG_WARN;
  ngx_log_error(level, cf->log, 0,
                own ? "\"recording on\" needs \"live on\" in application \"%V\" in %V:%ui"
                    : "application \"%V\" has no \"live on\": nothing of it is recorded by the "
                      "\"recording on\" in %V:%ui",
                &app.name, &at.file, at.line);
  conf->recording = 0;
  return own ? NGX_ERROR : NGX_OK;
}

ngx_int_t check_applications(ngx_conf_t* cf, const ngx_array_t& list, const Position& inherited) {
  auto** apps = static_cast<ngx_rtmp_core_app_conf_t**>(list.elts);
  for (ngx_uint_t i = 0; i < list.nelts; ++i) {
    const auto* conf =
        static_cast<RtmpAppConfSlots*>(apps[i]->app_conf[ngx_rtmp_recording_module.ctx_index]);
    const Position at = conf->recording_at;
    if (check_application(cf, *apps[i], inherited) != NGX_OK ||
        check_applications(cf, apps[i]->applications, at) != NGX_OK) {
      return NGX_ERROR;
    }
  }
  return NGX_OK;
}

#define RECORDING_APP(name, setter, field, post)                                    \
  {                                                                                 \
    ngx_string(name), kAnywhere | NGX_CONF_TAKE1, setter, NGX_RTMP_APP_CONF_OFFSET, \
        offsetof(RtmpAppConfSlots, field), post                                     \
  }
#define RECORDING_APP_FLAG(name, setter, field)                                    \
  {                                                                                \
    ngx_string(name), kAnywhere | NGX_CONF_FLAG, setter, NGX_RTMP_APP_CONF_OFFSET, \
        offsetof(RtmpAppConfSlots, field), nullptr                                 \
  }

}  // namespace

ngx_command_t rtmp_recording_commands[] = {
    RECORDING_APP_FLAG("recording", set_recording, recording),
    RECORDING_APP_FLAG("auto_record", ngx_conf_set_flag_slot, auto_record),
    RECORDING_APP("recording_fragment", ngx_conf_set_msec_slot, fragment, &fragment_bounds),
    RECORDING_APP("recording_sync", ngx_conf_set_enum_slot, sync, &sync_values),
    RECORDING_APP("recording_buffer", ngx_conf_set_size_slot, buffer, &buffer_post),
    RECORDING_APP("recording_preroll", ngx_conf_set_enum_slot, preroll, &preroll_values),
    RECORDING_APP("recording_gap", ngx_conf_set_enum_slot, gap, &gap_values),
    RECORDING_APP("recording_reconnect_window", ngx_conf_set_msec_slot, reconnect_window,
                  &window_bounds),
    RECORDING_APP_FLAG("recording_end_on_unpublish", ngx_conf_set_flag_slot, end_on_unpublish),
    RECORDING_APP("recording_min_duration", ngx_conf_set_msec_slot, min_duration,
                  &min_duration_bounds),
    RECORDING_APP("recording_max_duration", ngx_conf_set_msec_slot, max_duration,
                  &max_duration_post),
    RECORDING_APP_FLAG("recording_takeover", ngx_conf_set_flag_slot, takeover),
    RECORDING_APP("recording_takeover_timeout", ngx_conf_set_msec_slot, takeover_timeout,
                  &takeover_bounds),
    RECORDING_APP("recording_drain_timeout", set_drain_timeout, drain_timeout, nullptr),
    ngx_null_command};

void* create_rtmp_main_conf(ngx_conf_t* cf) noexcept {
  return guard(cf->log, "create_main_conf", nullptr,
               [&]() -> void* { return pool_new<RtmpMainConf>(cf->pool); });
}

void* create_rtmp_app_conf(ngx_conf_t* cf) noexcept {
  return guard(cf->log, "create_app_conf", nullptr, [&]() -> void* {
    return static_cast<RtmpAppConfSlots*>(pool_new<RtmpAppConf>(cf->pool));
  });
}

char* merge_rtmp_app_conf(ngx_conf_t* cf, void* parent, void* child) noexcept {
  auto* prev = static_cast<RtmpAppConfSlots*>(parent);
  auto* conf = static_cast<RtmpAppConfSlots*>(child);
  if (conf->recording == NGX_CONF_UNSET) {
    conf->recording_at = prev->recording_at;
  }
  ngx_conf_merge_value(conf->recording, prev->recording, 0);
  ngx_conf_merge_value(conf->auto_record, prev->auto_record, 0);
  ngx_conf_merge_value(conf->end_on_unpublish, prev->end_on_unpublish, 0);
  ngx_conf_merge_value(conf->takeover, prev->takeover, 1);
  ngx_conf_merge_msec_value(conf->fragment, prev->fragment, kSecond);
  ngx_conf_merge_msec_value(conf->reconnect_window, prev->reconnect_window, 60 * kSecond);
  ngx_conf_merge_msec_value(conf->min_duration, prev->min_duration, 10 * kSecond);
  ngx_conf_merge_msec_value(conf->max_duration, prev->max_duration, 4 * kHour);
  ngx_conf_merge_msec_value(conf->takeover_timeout, prev->takeover_timeout, 3 * kSecond);
  ngx_conf_merge_msec_value(conf->drain_timeout, prev->drain_timeout, 0);
  ngx_conf_merge_uint_value(conf->sync, prev->sync, 1);
  ngx_conf_merge_uint_value(conf->preroll, prev->preroll, 1);
  ngx_conf_merge_uint_value(conf->gap, prev->gap, 0);
  ngx_conf_merge_size_value(conf->buffer, prev->buffer, size_t{16} << 20);
  if (conf->max_duration != 0 && conf->min_duration > conf->max_duration) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"recording_min_duration\" is longer than \"recording_max_duration\": "
                       "no recording would be kept");
    return conf_error();
  }
  to_app_conf(conf)->rules = rules_of(*conf);
  return NGX_CONF_OK;
}

ngx_int_t check_rtmp_applications(ngx_conf_t* cf) noexcept {
  auto* core = static_cast<ngx_rtmp_core_main_conf_t*>(
      ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_core_module));
  auto** servers = static_cast<ngx_rtmp_core_srv_conf_t**>(core->servers.elts);
  for (ngx_uint_t i = 0; i < core->servers.nelts; ++i) {
    const auto* inherited = static_cast<RtmpAppConfSlots*>(
        servers[i]->ctx->app_conf[ngx_rtmp_recording_module.ctx_index]);
    if (check_applications(cf, servers[i]->applications, inherited->recording_at) != NGX_OK) {
      return NGX_ERROR;
    }
  }
  return NGX_OK;
}

const RtmpAppConf* rtmp_app_conf(const ngx_rtmp_session_t* s) noexcept {
  return to_app_conf(ngx_rtmp_get_module_app_conf(s, ngx_rtmp_recording_module));
}

const RtmpMainConf* rtmp_main_conf(const ngx_cycle_t* cycle) noexcept {
  const auto* ctx =
      reinterpret_cast<ngx_rtmp_conf_ctx_t*>(ngx_get_conf(cycle->conf_ctx, ngx_rtmp_module));
  return ctx == nullptr
             ? nullptr
             : static_cast<RtmpMainConf*>(ctx->main_conf[ngx_rtmp_recording_module.ctx_index]);
}

std::map<std::string, bool> recordable_applications(const ngx_cycle_t* cycle) {
  std::map<std::string, bool> found;
  const auto* ctx =
      reinterpret_cast<ngx_rtmp_conf_ctx_t*>(ngx_get_conf(cycle->conf_ctx, ngx_rtmp_module));
  if (ctx == nullptr) {
    return found;
  }
  const auto* core =
      static_cast<ngx_rtmp_core_main_conf_t*>(ctx->main_conf[ngx_rtmp_core_module.ctx_index]);
  auto** servers = static_cast<ngx_rtmp_core_srv_conf_t**>(core->servers.elts);
  for (ngx_uint_t i = 0; i < core->servers.nelts; ++i) {
    auto** applications = static_cast<ngx_rtmp_core_app_conf_t**>(servers[i]->applications.elts);
    for (ngx_uint_t j = 0; j < servers[i]->applications.nelts; ++j) {
      const auto* slots = static_cast<RtmpAppConfSlots*>(
          applications[j]->app_conf[ngx_rtmp_recording_module.ctx_index]);
      if (slots->recording == 1) {
        found.emplace(to_view(applications[j]->name), slots->auto_record == 1);
      }
    }
  }
  return found;
}

unsigned rtmp_port(const ngx_cycle_t* cycle) noexcept {
  const auto* ctx =
      reinterpret_cast<ngx_rtmp_conf_ctx_t*>(ngx_get_conf(cycle->conf_ctx, ngx_rtmp_module));
  if (ctx == nullptr) {
    return 0;
  }
  const auto* core =
      static_cast<ngx_rtmp_core_main_conf_t*>(ctx->main_conf[ngx_rtmp_core_module.ctx_index]);
  if (core->listen.nelts == 0) {
    return 0;
  }
  auto* listen = static_cast<ngx_rtmp_listen_t*>(core->listen.elts);
  return ngx_inet_get_port(reinterpret_cast<sockaddr*>(listen[0].sockaddr));
}

}  // namespace recording::ngx
