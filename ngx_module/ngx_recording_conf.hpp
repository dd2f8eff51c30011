#pragma once

#include "ngx_headers.hpp"

#include <string_view>

#include "boundary.hpp"
#include "config/config.hpp"
#include "storage/owned_folder.hpp"

extern ngx_module_t ngx_recording_module;

namespace recording::ngx {

// Where a directive of the recording { } block stands; of a repeated one the last.
struct Setting {
  Position at;
};

struct RecordingConfSlots {
  Position block{};  // line 0: there is no recording { } block
  Setting storage{}, spool{}, catalog{}, min_free{}, runtime{}, journal{}, zone{}, public_url{},
      link_secret{}, keep{}, worker{}, rendition{}, webhook{}, ffmpeg{};
};
static_assert(std::is_standard_layout_v<RecordingConfSlots>);

struct RecordingConf : RecordingConfSlots {
  config::Config config;  // complete after init_conf
};

// The configuration of `cycle`; config.present is false when it has no recording { } block.
// Null only for a cycle that never got as far as the configuration of this module.
const RecordingConf* recording_conf(const ngx_cycle_t* cycle) noexcept;

// Names of our thread pools, for ngx_thread_pool_get().
inline constexpr std::string_view kIoPool = "recording_io";
inline constexpr std::string_view kFinishPool = "recording_finish";
inline constexpr std::string_view kReadPool = "recording_read";
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

// A program that stands beside the module. Empty: the module's own path is not known.
std::string beside_module(std::string_view name);
// A program that cannot be run is no reason to refuse a configuration by which recording works;
// `without` says what does not. `what` is a directive, as it is to be shown.
void warn_of_missing(const ngx_cycle_t* cycle, const char* what, const std::string& program,
                     const char* without, const Position& at);

// The user that the workers run as.
storage::Owner worker_user(const ngx_cycle_t* cycle);

}  // namespace recording::ngx
