#include "ngx_recording_conf.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "ngx_str.hpp"

namespace recording::ngx {
namespace {

// The command type of what may stand inside recording { }. The block's directives belong to our
// core module itself, so no further module type is needed; this bit keeps them inside the block
// (NGX_MAIN_CONF is 0x01000000) and is in NGX_ANY_CONF, so that `include` works there.
constexpr ngx_uint_t kInRecording = 0x02000000;

// The longest `runtime`: {runtime}/w.{pid} is the address of a socket, at most 107 bytes.
constexpr std::size_t kMaxRuntimePath = 90;
constexpr std::uint64_t kMinZoneBytes = 64 << 10;

// Nulls are kept out by nginx's tokenizer; what is left that no path or link can hold in a log
// line.
bool has_control_bytes(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return true;
    }
  }
  return false;
}

std::string without_final_slashes(std::string text) {
  while (text.size() > 1 && text.back() == '/') {
    text.pop_back();
  }
  return text;
}

// Absolute, or relative to nginx's prefix. Empty: out of memory.
std::string full_path(ngx_cycle_t* cycle, std::string_view given) {
  ngx_str_t name = copy_to_pool(cycle->pool, std::string(given) + '\0');
  if (name.data == nullptr) {
    return {};
  }
  name.len = given.size();
  return ngx_conf_full_name(cycle, &name, 0) == NGX_OK ? without_final_slashes(to_string(name))
                                                       : std::string();
}

const char* path_fault(std::string_view given) {
  if (given.empty()) {
    return "must be a path";
  }
  return has_control_bytes(given) ? "must not contain control characters" : nullptr;
}

const char* set_path(ngx_conf_t* cf, std::string_view given, std::string& path) {
  if (const char* fault = path_fault(given)) {
    return fault;
  }
  path = full_path(cf->cycle, given);
  return path.empty() ? "is too long" : nullptr;
}

const char* parse_storage(ngx_conf_t* cf, std::string_view value, app::Config& config) {
  if (value.starts_with("s3://")) {
    return "cannot be an s3:// address in this version: give a folder";
  }
  if (value.find("://") != std::string_view::npos) {
    return "must be a folder";
  }
  return set_path(cf, value, config.storage);
}

const char* parse_spool(ngx_conf_t* cf, std::string_view value, app::Config& config) {
  return set_path(cf, value, config.spool);
}

const char* parse_catalog(ngx_conf_t* cf, std::string_view value, app::Config& config) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (value.starts_with("postgresql:") || value.starts_with("postgres:")) {
    return "cannot be a PostgreSQL address in this version: give sqlite:/path/to/catalog.db";
  }
  if (!value.starts_with(kSqlite)) {
    return "must be sqlite:/path/to/catalog.db";
  }
  return set_path(cf, value.substr(kSqlite.size()), config.catalog_path);
}

const char* parse_min_free(ngx_conf_t* /*cf*/, std::string_view value, app::Config& config) {
  ngx_str_t text = to_ngx_str(value);
  const off_t bytes = ngx_parse_offset(&text);  // unlike ngx_parse_size it knows "g"
  if (bytes == NGX_ERROR) {
    return "must be a size such as 500m or 2g";
  }
  config.min_free_bytes = bytes;
  return nullptr;
}

const char* parse_runtime(ngx_conf_t* cf, std::string_view value, app::Config& config) {
  if (const char* fault = set_path(cf, value, config.runtime)) {
    return fault;
  }
  return config.runtime.size() > kMaxRuntimePath
             ? "is too long: sockets are made in it, so at most 90 bytes"
             : nullptr;
}

const char* parse_journal(ngx_conf_t* /*cf*/, std::string_view value, app::Config& config) {
  constexpr const char* kWrong = "must be from 1% to 90%";
  if (!value.ends_with('%')) {
    return kWrong;
  }
  ngx_str_t text = to_ngx_str(value.substr(0, value.size() - 1));
  const ngx_int_t percent = ngx_atoi(text.data, text.len);
  if (percent == NGX_ERROR || percent < 1 || percent > 90) {
    return kWrong;
  }
  config.journal_percent = static_cast<unsigned>(percent);
  return nullptr;
}

const char* parse_zone(ngx_conf_t* /*cf*/, std::string_view value, app::Config& config) {
  ngx_str_t text = to_ngx_str(value);
  const off_t bytes = ngx_parse_offset(&text);
  if (bytes == NGX_ERROR) {
    return "must be a size such as 8m";
  }
  config.zone_bytes = static_cast<std::uint64_t>(bytes);
  return config.zone_bytes < kMinZoneBytes ? "must be at least 64k" : nullptr;
}

const char* parse_public_url(ngx_conf_t* /*cf*/, std::string_view value, app::Config& config) {
  constexpr const char* kWrong =
      "must be http://host or https://host, with a path if need be, and no query";
  std::string_view rest = value;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return kWrong;
  }
  if (rest.empty() || rest.front() == '/' || rest.front() == ':' || has_control_bytes(rest) ||
      rest.find_first_of(" \"'<>\\^`{|}?#") != std::string_view::npos) {
    return kWrong;
  }
  config.public_url = without_final_slashes(std::string(value));
  return nullptr;
}

// Whole seconds; nothing: no time as nginx writes it.
std::optional<std::int64_t> parse_seconds(std::string_view value) {
  ngx_str_t text = to_ngx_str(value);
  const ngx_int_t seconds = ngx_parse_time(&text, 1);
  return seconds == NGX_ERROR ? std::nullopt : std::optional<std::int64_t>(seconds);
}

const char* parse_keep(ngx_conf_t* /*cf*/, std::string_view value, app::Config& config) {
  const auto seconds = parse_seconds(value);
  if (!seconds) {
    return "must be a time such as 12h or 30d, or 0";
  }
  config.keep_ms = *seconds * 1000;
  return nullptr;
}

const char* parse_link_secret(ngx_conf_t* cf, std::string_view value, app::Config& config) {
  if (value.empty() || has_control_bytes(value) || value.find('$') != value.npos) {
    return "must not be empty, nor contain \"$\" (a variable to secure_link_md5) or control "
           "characters";
  }
  config.link_secret.text = value;
  if (cf->args->nelts == 3) {
    constexpr std::string_view kValid = "valid=";
    const std::string_view option = to_view(static_cast<ngx_str_t*>(cf->args->elts)[2]);
    const auto seconds =
        option.starts_with(kValid) ? parse_seconds(option.substr(kValid.size())) : std::nullopt;
    if (!seconds || *seconds == 0) {
      return "takes a second parameter such as valid=24h";
    }
    config.link_secret.valid_s = *seconds;
  }
  return nullptr;
}

// What cmd->post points to: how the directive's value is read. nullptr, or what is wrong with it.
struct Parser {
  const char* (*parse)(ngx_conf_t* cf, std::string_view value, app::Config& config);
};
Parser storage_parser{parse_storage}, spool_parser{parse_spool}, catalog_parser{parse_catalog},
    min_free_parser{parse_min_free}, runtime_parser{parse_runtime}, journal_parser{parse_journal},
    zone_parser{parse_zone}, public_url_parser{parse_public_url},
    link_secret_parser{parse_link_secret}, keep_parser{parse_keep};

RecordingConf* to_recording_conf(void* conf) noexcept {
  return static_cast<RecordingConf*>(static_cast<RecordingConfSlots*>(conf));
}

char* set_value(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) noexcept {
  return guard(cf->log, "recording { }", conf_error(), [&]() -> char* {
    auto* slots = static_cast<RecordingConfSlots*>(conf);
    auto* setting = reinterpret_cast<Setting*>(reinterpret_cast<char*>(slots) + cmd->offset);
    if (setting->at.line != 0) {
      return conf_says("is duplicate");
    }
    setting->value = static_cast<ngx_str_t*>(cf->args->elts)[1];
    setting->at = position_of(cf);
    const auto* parser = static_cast<const Parser*>(cmd->post);
    return const_cast<char*>(
        parser->parse(cf, to_view(setting->value), to_recording_conf(conf)->config));
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
  if (rv == NGX_CONF_OK) {
    to_recording_conf(conf)->config.present = true;
  }
  return rv;
}

#define RECORDING_SETTING(name)                                                       \
  {                                                                                   \
    ngx_string(#name), kInRecording | NGX_DIRECT_CONF | NGX_CONF_TAKE1, set_value, 0, \
        offsetof(RecordingConfSlots, name), &name##_parser                            \
  }

}  // namespace

ngx_command_t recording_commands[] = {
    {ngx_string("recording"), NGX_MAIN_CONF | NGX_DIRECT_CONF | NGX_CONF_BLOCK | NGX_CONF_NOARGS,
     parse_block, 0, 0, nullptr},
    RECORDING_SETTING(storage),
    RECORDING_SETTING(spool),
    RECORDING_SETTING(catalog),
    RECORDING_SETTING(min_free),
    RECORDING_SETTING(runtime),
    RECORDING_SETTING(journal),
    RECORDING_SETTING(zone),
    RECORDING_SETTING(public_url),
    RECORDING_SETTING(keep),
    {ngx_string("link_secret"), kInRecording | NGX_DIRECT_CONF | NGX_CONF_TAKE12, set_value, 0,
     offsetof(RecordingConfSlots, link_secret), &link_secret_parser},
    ngx_null_command};

void* create_recording_conf(ngx_cycle_t* cycle) noexcept {
  return guard(cycle->log, "create_conf", nullptr, [&]() -> void* {
    return static_cast<RecordingConfSlots*>(pool_new<RecordingConf>(cycle->pool));
  });
}

const RecordingConf* recording_conf(const ngx_cycle_t* cycle) noexcept {
  if (cycle == nullptr || cycle->conf_ctx == nullptr) {
    return nullptr;
  }
  void* conf = ngx_get_conf(cycle->conf_ctx, ngx_recording_module);
  return conf == nullptr ? nullptr : to_recording_conf(conf);
}

}  // namespace recording::ngx
