#include "config/directives.hpp"

#include <algorithm>
#include <utility>

#include "config/values.hpp"

namespace recording::config {
namespace {

using Args = std::span<const std::string_view>;

// The longest `runtime`: {runtime}/w.{pid} is the address of a socket, at most 107 bytes.
constexpr std::size_t kMaxRuntimePath = 90;
constexpr std::int64_t kMinZoneBytes = 64 << 10;
constexpr std::int64_t kMostWorkers = 64;

const char* storage(Args args, std::string_view prefix, Config& config) {
  if (args[0].starts_with("s3://")) {
    return "cannot be an s3:// address in this version: give a folder";
  }
  if (args[0].find("://") != std::string_view::npos) {
    return "must be a folder";
  }
  return parse_path(args[0], prefix, config.storage);
}

const char* spool(Args args, std::string_view prefix, Config& config) {
  return parse_path(args[0], prefix, config.spool);
}

const char* catalog(Args args, std::string_view prefix, Config& config) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (args[0].starts_with("postgresql:") || args[0].starts_with("postgres:")) {
    return "cannot be a PostgreSQL address in this version: give sqlite:/path/to/catalog.db";
  }
  if (!args[0].starts_with(kSqlite)) {
    return "must be sqlite:/path/to/catalog.db";
  }
  return parse_path(args[0].substr(kSqlite.size()), prefix, config.catalog_path);
}

const char* min_free(Args args, std::string_view /*prefix*/, Config& config) {
  const auto bytes = parse_size(args[0]);
  config.min_free_bytes = bytes.value_or(0);
  return bytes ? nullptr : "must be a size such as 500m or 2g";
}

const char* runtime(Args args, std::string_view prefix, Config& config) {
  if (const char* fault = parse_path(args[0], prefix, config.runtime)) {
    return fault;
  }
  return config.runtime.size() > kMaxRuntimePath
             ? "is too long: sockets are made in it, so at most 90 bytes"
             : nullptr;
}

const char* journal(Args args, std::string_view /*prefix*/, Config& config) {
  const std::string_view text = args[0];
  const auto percent = text.ends_with('%') ? parse_number(text.substr(0, text.size() - 1)) : 0;
  if (!percent || *percent < 1 || *percent > 90) {
    return "must be from 1% to 90%";
  }
  config.journal_percent = static_cast<unsigned>(*percent);
  return nullptr;
}

const char* zone(Args args, std::string_view /*prefix*/, Config& config) {
  const auto bytes = parse_size(args[0]);
  if (!bytes) {
    return "must be a size such as 8m";
  }
  config.zone_bytes = static_cast<std::uint64_t>(*bytes);
  return *bytes < kMinZoneBytes ? "must be at least 64k" : nullptr;
}

// http://host… or https://host…, of printable characters that need no encoding.
bool is_http_url(std::string_view url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const std::string_view rest = url.substr(scheme);
  return scheme > 0 && !rest.empty() && rest.front() != '/' && rest.front() != ':' &&
         rest.front() != '?' && rest.front() != '#' && !has_control_bytes(rest) &&
         rest.find_first_of(" \"'<>\\^`{|}") == rest.npos;
}

const char* public_url(Args args, std::string_view /*prefix*/, Config& config) {
  if (!is_http_url(args[0]) || args[0].find_first_of("?#") != args[0].npos) {
    return "must be http://host or https://host, with a path if need be, and no query";
  }
  config.public_url = args[0].substr(0, args[0].find_last_not_of('/') + 1);
  return nullptr;
}

const char* keep(Args args, std::string_view /*prefix*/, Config& config) {
  const auto seconds = parse_seconds(args[0]);
  config.keep_ms = seconds.value_or(0) * 1000;
  return seconds ? nullptr : "must be a time such as 12h or 30d, or 0";
}

const char* link_secret(Args args, std::string_view /*prefix*/, Config& config) {
  if (args[0].empty() || has_control_bytes(args[0]) || args[0].find('$') != args[0].npos) {
    return "must not be empty, nor contain \"$\" (a variable to secure_link_md5) or control "
           "characters";
  }
  config.link_secret.text = args[0];
  if (args.size() == 2) {
    constexpr std::string_view kValid = "valid=";
    const auto seconds =
        args[1].starts_with(kValid) ? parse_seconds(args[1].substr(kValid.size())) : std::nullopt;
    if (!seconds || *seconds == 0) {
      return "takes a second parameter such as valid=24h";
    }
    config.link_secret.valid_s = *seconds;
  }
  return nullptr;
}

const char* worker(Args args, std::string_view /*prefix*/, Config& config) {
  const auto count = args[0] == "off" ? 0 : parse_number(args[0]).value_or(-1);
  if ((count == 0 && args[0] != "off") || count < 0 || count > kMostWorkers) {
    return "must be a number from 1 to 64, or off";
  }
  config.workers = static_cast<unsigned>(count);
  return nullptr;
}

const char* rendition(Args args, std::string_view /*prefix*/, Config& config) {
  return add_rendition(args, config.renditions);
}

const char* webhook(Args args, std::string_view /*prefix*/, Config& config) {
  constexpr std::string_view kSecret = "secret=";
  if (!is_http_url(args[0]) || args[0].find('#') != args[0].npos) {
    return "must be http://host/path or https://host/path";
  }
  if (!args[1].starts_with(kSecret) || args[1].size() == kSecret.size() ||
      has_control_bytes(args[1])) {
    return "needs secret=TEXT, with which what is sent is signed";
  }
  if (std::any_of(config.webhooks.begin(), config.webhooks.end(),
                  [&](const Webhook& one) { return one.url == args[0]; })) {
    return "is duplicate";
  }
  config.webhooks.push_back({std::string(args[0]), std::string(args[1].substr(kSecret.size()))});
  return nullptr;
}

const char* ffmpeg(Args args, std::string_view /*prefix*/, Config& config) {
  if (args[0].empty() || has_control_bytes(args[0])) {
    return "must be a program";
  }
  config.ffmpeg = args[0];
  return nullptr;
}

constexpr Directive kDirectives[] = {
    {"storage", 1, 1, false, storage}, {"spool", 1, 1, false, spool},
    {"catalog", 1, 1, false, catalog}, {"min_free", 1, 1, false, min_free},
    {"runtime", 1, 1, false, runtime}, {"journal", 1, 1, false, journal},
    {"zone", 1, 1, false, zone},       {"public_url", 1, 1, false, public_url},
    {"keep", 1, 1, false, keep},       {"link_secret", 1, 2, false, link_secret},
    {"worker", 1, 1, false, worker},   {"rendition", 2, 3, true, rendition},
    {"webhook", 2, 2, true, webhook},  {"ffmpeg", 1, 1, false, ffmpeg},
};

// In quotes, for nginx's syntax.
std::string quoted(std::string_view text) {
  std::string result = " \"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + "\"";
}

std::string number(std::int64_t value) { return " " + std::to_string(value); }

}  // namespace

const Directive* find_directive(std::string_view name) {
  const auto* found = std::find_if(std::begin(kDirectives), std::end(kDirectives),
                                   [&](const Directive& one) { return one.name == name; });
  return found == std::end(kDirectives) ? nullptr : found;
}

Fault complete(Config& config, std::string_view prefix) {
  config.present = true;
  if (config.storage.empty()) {
    return {"recording", "needs a \"storage\""};
  }
  if (config.spool.empty()) {
    config.spool = beside(config.storage, "spool");
  }
  if (config.catalog_path.empty()) {
    config.catalog_path = beside(config.storage, "catalog.db");
  }
  config.ffmpeg = find_program(config.ffmpeg, prefix);
  return {"spool",
          config.spool == config.storage ? "must be another folder than \"storage\"" : nullptr};
}

std::string to_text(const Config& config) {
  std::string text = "recording {\n";
  const auto add = [&text](const char* name, const std::string& values) {
    text += name + values + ";\n";
  };
  add("storage", quoted(config.storage));
  add("spool", quoted(config.spool));
  add("catalog", quoted("sqlite:" + config.catalog_path));
  add("runtime", quoted(config.runtime));
  add("min_free", number(config.min_free_bytes));
  add("journal", number(config.journal_percent) + "%");
  add("zone", number(static_cast<std::int64_t>(config.zone_bytes)));
  add("keep", number(config.keep_ms / 1000));
  add("worker", config.workers == 0 ? std::string(" off") : number(config.workers));
  add("ffmpeg", quoted(config.ffmpeg));
  if (!config.public_url.empty()) {
    add("public_url", quoted(config.public_url));
  }
  if (!config.link_secret.text.empty()) {
    add("link_secret",
        quoted(config.link_secret.text) + " valid=" + std::to_string(config.link_secret.valid_s));
  }
  for (const transcode::RenditionSetting& one : config.renditions) {
    add("rendition", quoted(one.name) + " video=" + std::to_string(one.video_bps) +
                         " audio=" + std::to_string(one.audio_bps));
  }
  for (const Webhook& one : config.webhooks) {
    add("webhook", quoted(one.url) + quoted("secret=" + one.secret));
  }
  return text + "}\n";
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string beside(const std::string& path, std::string_view name) {
  std::string parent = parent_of(path);
  if (parent != "/") {
    parent += '/';
  }
  return parent.append(name);
}

}  // namespace recording::config
