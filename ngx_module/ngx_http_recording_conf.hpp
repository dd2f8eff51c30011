#pragma once

#include "ngx_headers.hpp"

#include <string_view>

#include "boundary.hpp"

extern ngx_module_t ngx_http_recording_module;

namespace recording::ngx {

// A location that has recording_api, recording_files or recording_console.
struct HttpLocation {
  const ngx_http_core_srv_conf_t* server;
  ngx_str_t prefix;  // as in nginx.conf: "/videos/"
  Position at;
};

struct HttpMainConf {
  Position first_use{};  // of any location directive of ours; line 0: none
  // HttpLocation: where recording_api, recording_files and recording_console serve, in order
  ngx_array_t apis{}, files{}, consoles{};
};
static_assert(std::is_standard_layout_v<HttpMainConf>);

struct HttpLocConf {
  Position api{}, files{}, metrics{},
      console{};  // where the directive stands; line 0: not in this location
};
static_assert(std::is_trivially_destructible_v<HttpLocConf>);

// Null without an http { } block.
const HttpMainConf* http_main_conf(const ngx_cycle_t* cycle) noexcept;

// What the URI of `r` has after its location's prefix, without a slash in front: "streams/12".
// The URI is nginx's: decoded and normalised.
std::string_view path_below_location(ngx_http_request_t* r) noexcept;
// The prefix of the location with recording_files, of the request's own server if it has one, with
// a final slash ("/videos/" stays so, "/videos" gets one). Empty: there is none.
std::string_view files_prefix(ngx_http_request_t* r) noexcept;
// The same, and that of recording_api, in the request's own server only.
std::string_view own_files_prefix(ngx_http_request_t* r) noexcept;
std::string_view api_prefix(ngx_http_request_t* r) noexcept;

// The content handlers that the directives install; each is in the file of its name.
ngx_int_t api_handler(ngx_http_request_t* r) noexcept;    // ngx_http_recording_module.cpp
ngx_int_t files_handler(ngx_http_request_t* r) noexcept;  // ngx_http_recording_files_module.cpp
ngx_int_t metrics_handler(ngx_http_request_t* r) noexcept;
ngx_int_t console_handler(ngx_http_request_t* r) noexcept;

// The parts of the module that ngx_http_recording_module.cpp puts together.
extern ngx_command_t http_recording_commands[];
void* create_http_main_conf(ngx_conf_t* cf) noexcept;
void* create_http_loc_conf(ngx_conf_t* cf) noexcept;
ngx_int_t check_consoles(ngx_conf_t* cf) noexcept;  // when all has been parsed
char* merge_http_loc_conf(ngx_conf_t* cf, void* parent, void* child) noexcept;

}  // namespace recording::ngx
