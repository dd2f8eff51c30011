#include "ngx_http_recording_conf.hpp"

#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

ngx_http_core_loc_conf_t* core_loc_conf(ngx_conf_t* cf) noexcept {
  return static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
}

HttpMainConf* main_conf(ngx_conf_t* cf) noexcept {
  return static_cast<HttpMainConf*>(
      ngx_http_conf_get_module_main_conf(cf, ngx_http_recording_module));
}

// The paths that we serve follow the location's prefix, so it must have one. (In an `if` block
// nginx itself refuses the directive.)
const char* prefix_fault(const ngx_http_core_loc_conf_t& core) noexcept {
#if (NGX_PCRE)
  if (core.regex != nullptr) {
    return "cannot stand in a regex location: give it a prefix such as \"location /streaming/\"";
  }
#endif
  if (core.named) {
    return "cannot stand in a named location: give it a prefix such as \"location /streaming/\"";
  }
  return core.exact_match ? "cannot stand in an exact location: leave out the \"=\"" : nullptr;
}

// `own`: the directive's position in `conf`.
char* claim_location(ngx_conf_t* cf, const HttpLocConf& conf, Position& own,
                     ngx_http_handler_pt handler, bool serves_paths) noexcept {
  if (own.line != 0) {
    return conf_says("is duplicate");
  }
  if (conf.api.line != 0 || conf.files.line != 0 || conf.metrics.line != 0 ||
      conf.console.line != 0) {
    return conf_says(
        "needs a location of its own: recording_api, recording_files, recording_console and "
        "recording_metrics share none");
  }
  ngx_http_core_loc_conf_t* core = core_loc_conf(cf);
  if (const char* fault = serves_paths ? prefix_fault(*core) : nullptr) {
    return conf_says(fault);
  }
  if (core->handler != nullptr) {
    return conf_says("stands in a location that something else already serves");
  }
  own = position_of(cf);
  core->handler = handler;
  if (main_conf(cf)->first_use.line == 0) {
    main_conf(cf)->first_use = own;
  }
  return NGX_CONF_OK;
}

// The same, and remembers in `list` where it is.
char* claim_listed(ngx_conf_t* cf, const HttpLocConf& conf, Position& own,
                   ngx_http_handler_pt handler, ngx_array_t HttpMainConf::*list) noexcept {
  char* rv = claim_location(cf, conf, own, handler, true);
  if (rv != NGX_CONF_OK) {
    return rv;
  }
  auto* location = static_cast<HttpLocation*>(ngx_array_push(&(main_conf(cf)->*list)));
  if (location == nullptr) {
    return conf_error();
  }
  const auto* server = static_cast<ngx_http_core_srv_conf_t*>(
      ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
  *location = {server, core_loc_conf(cf)->name, own};
  return NGX_CONF_OK;
}

char* set_api(ngx_conf_t* cf, ngx_command_t* /*cmd*/, void* conf) noexcept {
  auto* slots = static_cast<HttpLocConf*>(conf);
  return claim_listed(cf, *slots, slots->api, api_handler, &HttpMainConf::apis);
}

char* set_files(ngx_conf_t* cf, ngx_command_t* /*cmd*/, void* conf) noexcept {
  auto* slots = static_cast<HttpLocConf*>(conf);
  return claim_listed(cf, *slots, slots->files, files_handler, &HttpMainConf::files);
}

char* set_console(ngx_conf_t* cf, ngx_command_t* /*cmd*/, void* conf) noexcept {
  auto* slots = static_cast<HttpLocConf*>(conf);
  return claim_listed(cf, *slots, slots->console, console_handler, &HttpMainConf::consoles);
}

char* set_metrics(ngx_conf_t* cf, ngx_command_t* /*cmd*/, void* conf) noexcept {
  auto* slots = static_cast<HttpLocConf*>(conf);
  return claim_location(cf, *slots, slots->metrics, metrics_handler, false);
}

// The first of `list` in this server; empty: there is none.
std::string_view prefix_in(const ngx_array_t& list, const void* server) noexcept {
  const auto* locations = static_cast<HttpLocation*>(list.elts);
  for (ngx_uint_t i = 0; i < list.nelts; ++i) {
    if (locations[i].server == server) {
      return to_view(locations[i].prefix);
    }
  }
  return {};
}

}  // namespace

ngx_command_t http_recording_commands[] = {
    {ngx_string("recording_api"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_api,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("recording_files"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_files,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("recording_console"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_console,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("recording_metrics"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_metrics,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    ngx_null_command};

void* create_http_main_conf(ngx_conf_t* cf) noexcept {
  return guard(cf->log, "create_main_conf", nullptr, [&]() -> void* {
    auto* conf = pool_new<HttpMainConf>(cf->pool);
    if (conf == nullptr) {
      return nullptr;
    }
    for (ngx_array_t* list : {&conf->apis, &conf->files, &conf->consoles}) {
      if (ngx_array_init(list, cf->pool, 2, sizeof(HttpLocation)) != NGX_OK) {
        return nullptr;
      }
    }
    return conf;
  });
}

void* create_http_loc_conf(ngx_conf_t* cf) noexcept {
  return guard(cf->log, "create_loc_conf", nullptr,
               [&]() -> void* { return pool_new<HttpLocConf>(cf->pool); });
}

// A browser lets the console reach its own server only.
ngx_int_t check_consoles(ngx_conf_t* cf) noexcept {
  const HttpMainConf& main = *main_conf(cf);
  const auto* consoles = static_cast<HttpLocation*>(main.consoles.elts);
  for (ngx_uint_t i = 0; i < main.consoles.nelts; ++i) {
    if (prefix_in(main.apis, consoles[i].server).empty()) {
      ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                    "\"recording_console\" needs a location with \"recording_api\" in the same "
                    "server, in %V:%ui",
                    &consoles[i].at.file, consoles[i].at.line);
      return NGX_ERROR;
    }
  }
  return NGX_OK;
}

// Nothing is inherited: each location says itself what it serves. ngx_http_core_module has merged
// already, so sendfile and aio are final here.
char* merge_http_loc_conf(ngx_conf_t* cf, void* /*parent*/, void* child) noexcept {
  const Position& at = static_cast<HttpLocConf*>(child)->files;
  const ngx_http_core_loc_conf_t* core = core_loc_conf(cf);
  if (at.line != 0 && (core->sendfile != 1 || core->aio != NGX_HTTP_AIO_THREADS)) {
    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "\"recording_files\" without \"sendfile on; aio threads;\": a download that is "
                  "read from disk stops this worker for as long as the disk takes, in %V:%ui",
                  &at.file, at.line);
  }
  return NGX_CONF_OK;
}

const HttpMainConf* http_main_conf(const ngx_cycle_t* cycle) noexcept {
  return static_cast<HttpMainConf*>(
      ngx_http_cycle_get_module_main_conf(cycle, ngx_http_recording_module));
}

std::string_view path_below_location(ngx_http_request_t* r) noexcept {
  const auto* core =
      static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  std::string_view path = to_view(r->uri);
  path.remove_prefix(path.size() < core->name.len ? path.size() : core->name.len);
  if (path.starts_with('/')) {
    path.remove_prefix(1);
  }
  return path;
}

std::string_view own_files_prefix(ngx_http_request_t* r) noexcept {
  const auto* main =
      static_cast<HttpMainConf*>(ngx_http_get_module_main_conf(r, ngx_http_recording_module));
  return prefix_in(main->files, ngx_http_get_module_srv_conf(r, ngx_http_core_module));
}

std::string_view files_prefix(ngx_http_request_t* r) noexcept {
  const auto* main =
      static_cast<HttpMainConf*>(ngx_http_get_module_main_conf(r, ngx_http_recording_module));
  const std::string_view own = own_files_prefix(r);
  if (!own.empty() || main->files.nelts == 0) {
    return own;
  }
  return to_view(static_cast<HttpLocation*>(main->files.elts)[0].prefix);
}

std::string_view api_prefix(ngx_http_request_t* r) noexcept {
  const auto* main =
      static_cast<HttpMainConf*>(ngx_http_get_module_main_conf(r, ngx_http_recording_module));
  return prefix_in(main->apis, ngx_http_get_module_srv_conf(r, ngx_http_core_module));
}

}  // namespace recording::ngx
