#include "ngx_recording_conf.hpp"

#include <dlfcn.h>

#include <string_view>

#include "config/directives.hpp"
#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

// The command type of what may stand inside recording { }. The block's directives belong to our
// core module itself, so no further module type is needed; this bit keeps them inside the block
// (NGX_MAIN_CONF is 0x01000000) and is in NGX_ANY_CONF, so that `include` works there.
constexpr ngx_uint_t kInRecording = 0x02000000;

RecordingConf* to_recording_conf(void* conf) noexcept {
  return static_cast<RecordingConf*>(static_cast<RecordingConfSlots*>(conf));
}

// What the value is and must be is the core's to say, which recording-worker asks too.
char* set_value(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) noexcept {
  return guard(cf->log, "recording { }", conf_error(), [&]() -> char* {
    const config::Directive* directive = config::find_directive(to_view(cmd->name));
    if (directive == nullptr) {
      return conf_says("is not known to this module");
    }
    auto* slots = static_cast<RecordingConfSlots*>(conf);
    auto* setting = reinterpret_cast<Setting*>(reinterpret_cast<char*>(slots) + cmd->offset);
    if (setting->at.line != 0 && !directive->repeatable) {
      return conf_says("is duplicate");
    }
    setting->at = position_of(cf);
    return conf_says(directive->apply(parameters_of(cf), to_view(cf->cycle->prefix),
                                      to_recording_conf(conf)->config));
  });
}

char* parse_block(ngx_conf_t* cf, ngx_command_t* /*cmd*/, void* conf) noexcept {
  auto* slots = static_cast<RecordingConfSlots*>(conf);
  if (slots->block.line != 0) {
    return conf_says("is duplicate");
  }
  slots->block = position_of(cf);
  const ngx_conf_t outside = *cf;
  cf->cmd_type = kInRecording;  // module_type stays NGX_CORE_MODULE
  char* rv = ngx_conf_parse(cf, nullptr);
  *cf = outside;
  return rv;
}

#define RECORDING_SETTING(name, takes)                                       \
  {                                                                          \
    ngx_string(#name), kInRecording | NGX_DIRECT_CONF | takes, set_value, 0, \
        offsetof(RecordingConfSlots, name), nullptr                          \
  }

}  // namespace

ngx_command_t recording_commands[] = {
    {ngx_string("recording"), NGX_MAIN_CONF | NGX_DIRECT_CONF | NGX_CONF_BLOCK | NGX_CONF_NOARGS,
     parse_block, 0, 0, nullptr},
    RECORDING_SETTING(storage, NGX_CONF_TAKE1),
    RECORDING_SETTING(spool, NGX_CONF_TAKE1),
    RECORDING_SETTING(catalog, NGX_CONF_TAKE1),
    RECORDING_SETTING(min_free, NGX_CONF_TAKE1),
    RECORDING_SETTING(runtime, NGX_CONF_TAKE1),
    RECORDING_SETTING(journal, NGX_CONF_TAKE1),
    RECORDING_SETTING(zone, NGX_CONF_TAKE1),
    RECORDING_SETTING(public_url, NGX_CONF_TAKE1),
    RECORDING_SETTING(keep, NGX_CONF_TAKE1),
    RECORDING_SETTING(link_secret, NGX_CONF_TAKE12),
    RECORDING_SETTING(worker, NGX_CONF_TAKE1),
    RECORDING_SETTING(rendition, NGX_CONF_TAKE23),
    RECORDING_SETTING(webhook, NGX_CONF_TAKE2),
    RECORDING_SETTING(ffmpeg, NGX_CONF_TAKE1),
    ngx_null_command};

void* create_recording_conf(ngx_cycle_t* cycle) noexcept {
  return guard(cycle->log, "create_conf", nullptr, [&]() -> void* {
    return static_cast<RecordingConfSlots*>(pool_new<RecordingConf>(cycle->pool));
  });
}

std::string beside_module(std::string_view name) {
  Dl_info module = {};
  if (::dladdr(&ngx_recording_module, &module) == 0 || module.dli_fname == nullptr) {
    return {};
  }
  const std::string_view path = module.dli_fname;
  const std::size_t slash = path.rfind('/');
  return std::string(path.substr(0, slash == path.npos ? 0 : slash + 1)).append(name);
}

const RecordingConf* recording_conf(const ngx_cycle_t* cycle) noexcept {
  if (cycle == nullptr || cycle->conf_ctx == nullptr) {
    return nullptr;
  }
  void* conf = ngx_get_conf(cycle->conf_ctx, ngx_recording_module);
  return conf == nullptr ? nullptr : to_recording_conf(conf);
}

}  // namespace recording::ngx
