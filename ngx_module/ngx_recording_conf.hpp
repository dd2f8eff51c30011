#pragma once

#include "ngx_headers.hpp"

#include <string_view>

#include "app/config.hpp"
#include "boundary.hpp"
#include "storage/owned_folder.hpp"

extern ngx_module_t ngx_recording_module;

namespace recording::ngx {

// One directive of the recording { } block as it was written.
struct Setting {
  ngx_str_t value;
  Position at;
};

struct RecordingConfSlots {
  Position block{};  // line 0: there is no recording { } block
  Setting storage{}, spool{}, catalog{}, min_free{}, runtime{}, journal{}, zone{}, public_url{},
      link_secret{}, keep{};
};
static_assert(std::is_standard_layout_v<RecordingConfSlots>);

struct RecordingConf : RecordingConfSlots {
  app::Config config;  // complete after init_conf
};

// The configuration of `cycle`; config.present is false when it has no recording { } block.
// Null only for a cycle that never got as far as the configuration of this module.
const RecordingConf* recording_conf(const ngx_cycle_t* cycle) noexcept;

// Names of our thread pools, for ngx_thread_pool_get().
inline constexpr std::string_view kIoPool = "recording_io";
inline constexpr std::string_view kCatalogPool = "recording_catalog";
inline constexpr std::string_view kLivePool = "recording_live";

// The parts of the module that ngx_recording_module.cpp puts together.
extern ngx_command_t recording_commands[];
void* create_recording_conf(ngx_cycle_t* cycle) noexcept;
char* init_recording_conf(ngx_cycle_t* cycle, void* conf) noexcept;

// init_recording_conf, in order: what is only known when every block has been parsed.
char* check_recording_uses(ngx_cycle_t* cycle, const RecordingConf& conf);
char* prepare_folders(ngx_cycle_t* cycle, const RecordingConf& conf);
char* prepare_transcoders(ngx_cycle_t* cycle, const RecordingConf& conf);
char* add_thread_pools(ngx_cycle_t* cycle, const RecordingConf& conf);

// The user that the workers run as.
storage::Owner worker_user(const ngx_cycle_t* cycle);

}  // namespace recording::ngx
