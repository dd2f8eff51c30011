// What of `transcoder on` can be decided only when the whole nginx.conf has been parsed. Live
// playback that cannot work is no reason to refuse a configuration by which recording does.
#include "ngx_headers.hpp"

#include <string>

#include "ngx_recording_conf.hpp"
#include "ngx_rtmp_recording_conf.hpp"
#include "ngx_rtmp_transcoder_conf.hpp"
#include "storage/owned_folder.hpp"

namespace recording::ngx {
namespace {

char* refuse(const ngx_cycle_t* cycle, const Position& at, const char* what) {
  ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "%s in %V:%ui", what, &at.file, at.line);
  return conf_error();
}

void warn_of_folder(const ngx_cycle_t* cycle, const TranscoderConf& conf,
                    const storage::Owner& owner) {
  const std::string& path = conf.settings.path;
  Status status =
      ngx_test_config ? storage::check_folder(path, owner) : storage::make_folder(path, owner);
  if (!status) {
    const std::string& message = status.error().message;
    ngx_log_error(NGX_LOG_WARN, cycle->log, status.error().sys_errno,
                  "\"transcoder_path\" %*s: there is no live playback, in %V:%ui", message.size(),
                  message.data(), &conf.path_at.file, conf.path_at.line);
  }
}

TranscoderConfSlots* slots_of(void** app_conf) noexcept {
  return static_cast<TranscoderConfSlots*>(app_conf[ngx_rtmp_transcoder_module.ctx_index]);
}

// Without `live on` an application has no publishers. Written in the application itself that is an
// error; inherited, it may be one of another kind (vod).
ngx_int_t check_applications(ngx_conf_t* cf, const ngx_array_t& list, const Position& inherited) {
  auto** apps = static_cast<ngx_rtmp_core_app_conf_t**>(list.elts);
  for (ngx_uint_t i = 0; i < list.nelts; ++i) {
    TranscoderConfSlots* conf = slots_of(apps[i]->app_conf);
    const Position at = conf->at;
    const auto* live =
        static_cast<ngx_rtmp_live_app_conf_t*>(apps[i]->app_conf[ngx_rtmp_live_module.ctx_index]);
    if (conf->transcoder == 1 && live->live != 1) {
      const bool own = at.line != inherited.line || at.file.data != inherited.file.data;
      const ngx_uint_t level = own ? NGX_LOG_EMERG : NGX_LOG_WARN;
      ngx_log_error(level, cf->log, 0,
                    own ? "\"transcoder on\" needs \"live on\" in application \"%V\" in %V:%ui"
                        : "application \"%V\" has no \"live on\": nothing of it is transcoded by "
                          "the \"transcoder on\" in %V:%ui",
                    &apps[i]->name, &at.file, at.line);
      conf->transcoder = 0;
      if (own) {
        return NGX_ERROR;
      }
    }
    if (check_applications(cf, apps[i]->applications, at) != NGX_OK) {
      return NGX_ERROR;
    }
  }
  return NGX_OK;
}

}  // namespace

ngx_int_t check_transcoders(ngx_conf_t* cf) noexcept {
  auto* core = static_cast<ngx_rtmp_core_main_conf_t*>(
      ngx_rtmp_conf_get_module_main_conf(cf, ngx_rtmp_core_module));
  auto** servers = static_cast<ngx_rtmp_core_srv_conf_t**>(core->servers.elts);
  for (ngx_uint_t i = 0; i < core->servers.nelts; ++i) {
    if (check_applications(cf, servers[i]->applications, slots_of(servers[i]->ctx->app_conf)->at) !=
        NGX_OK) {
      return NGX_ERROR;
    }
  }
  return NGX_OK;
}

char* prepare_transcoders(ngx_cycle_t* cycle, const RecordingConf& conf) {
  const storage::Owner owner = worker_user(cycle);
  for (const auto& [app, transcoder] : transcoders(cycle)) {
    const std::string& path = transcoder->settings.path;
    if (path.empty()) {
      return refuse(cycle, transcoder->at, "\"transcoder on\" needs a \"transcoder_path\"");
    }
    if (path == conf.config.storage || path == conf.config.spool) {
      return refuse(cycle, transcoder->path_at,
                    "\"transcoder_path\" must be another folder than \"storage\" and \"spool\"");
    }
    warn_of_folder(cycle, *transcoder, owner);
    constexpr const char* kWithout = "there is no live playback";
    warn_of_missing(cycle, "\"transcoder_command\"", transcoder->settings.command, kWithout,
                    transcoder->command_at.line != 0 ? transcoder->command_at : transcoder->at);
    warn_of_missing(cycle, "\"transcoder on\"", conf.config.launcher, kWithout, transcoder->at);
  }
  return NGX_CONF_OK;
}

}  // namespace recording::ngx
