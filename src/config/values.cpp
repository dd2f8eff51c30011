#include "config/values.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace recording::config {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kLongestPath = 4095;  // PATH_MAX without its NUL
constexpr std::size_t kMostRenditions = 7;  // beside the source
constexpr std::int64_t kDefaultAudioBps = 128000;

std::optional<std::int64_t> times(std::optional<std::int64_t> number, std::int64_t unit) {
  return number && *number <= kMost / unit ? std::optional(*number * unit) : std::nullopt;
}

// Bits a second: "2800k", "5m"; 0: it is none. Unlike sizes in thousands.
std::int64_t parse_bit_rate(std::string_view text) {
  std::int64_t unit = 1;
  if (text.ends_with('k') || text.ends_with('K')) {
    unit = 1000;
  } else if (text.ends_with('m') || text.ends_with('M')) {
    unit = 1000000;
  }
  text.remove_suffix(unit > 1 ? 1 : 0);
  constexpr std::int64_t kMostBps = 1000000000;
  const std::int64_t rate = times(parse_number(text), unit).value_or(0);
  return rate <= kMostBps ? rate : 0;
}

const char* parse_rendition(std::span<const std::string_view> args,
                            transcode::RenditionSetting& rendition) {
  rendition.name = args[0];
  rendition.height = parse_height(rendition.name);
  if (rendition.height == 0) {
    return "must be named by its height: 720p";
  }
  rendition.audio_bps = kDefaultAudioBps;
  for (const std::string_view text : args.subspan(1)) {
    std::int64_t* into = text.starts_with("video=")   ? &rendition.video_bps
                         : text.starts_with("audio=") ? &rendition.audio_bps
                                                      : nullptr;
    if (into == nullptr) {
      return "takes video=RATE and audio=RATE";
    }
    *into = parse_bit_rate(text.substr(6));
    if (*into == 0) {
      return "needs a bit rate such as 2800k or 5m";
    }
  }
  if (rendition.video_bps < 10000 || rendition.video_bps > 500000000) {
    return "needs video= from 10k to 500m";
  }
  return rendition.audio_bps < 8000 || rendition.audio_bps > 512000 ? "needs audio= from 8k to 512k"
                                                                    : nullptr;
}

}  // namespace

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = fault == std::errc() && end == text.data() + text.size();
  return whole && text.front() != '-' ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  std::int64_t unit = 1;
  switch (text.empty() ? '\0' : text.back()) {
    case 'k':
    case 'K':
      unit = std::int64_t{1} << 10;
      break;
    case 'm':
    case 'M':
      unit = std::int64_t{1} << 20;
      break;
    case 'g':
    case 'G':
      unit = std::int64_t{1} << 30;
      break;
    default:
      break;
  }
  text.remove_suffix(unit > 1 ? 1 : 0);
  return times(parse_number(text), unit);
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  struct Unit {
    char letter;
    std::int64_t seconds;
  };
  constexpr Unit kUnits[] = {{'y', 31'536'000}, {'M', 2'592'000}, {'w', 604'800}, {'d', 86'400},
                             {'h', 3'600},      {'m', 60},        {'s', 1}};
  const auto* next = std::begin(kUnits);
  std::int64_t total = 0;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const bool bare = digits == text.size();  // seconds, and the last of all
    const char letter = bare ? 's' : text[digits];
    const auto* unit =
        std::find_if(next, std::end(kUnits), [&](const Unit& one) { return one.letter == letter; });
    if (unit == std::end(kUnits)) {
      return std::nullopt;
    }
    const auto part = times(parse_number(text.substr(0, digits)), unit->seconds);
    if (!part || *part > kMost / 1000 - total) {  // milliseconds are counted further on
      return std::nullopt;
    }
    total += *part;
    next = unit + 1;
    text.remove_prefix(digits + (bare ? 0 : 1));
    if (text.empty()) {
      return total;
    }
  }
  return std::nullopt;
}

bool has_control_bytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

const char* parse_path(std::string_view given, std::string_view prefix, std::string& path) {
  if (given.empty()) {
    return "must be a path";
  }
  if (has_control_bytes(given)) {
    return "must not contain control characters";
  }
  if (!given.starts_with('/') && prefix.empty()) {
    return "must be an absolute path, or -p must give nginx's prefix";
  }
  path = given.starts_with('/') ? std::string() : std::string(prefix);
  path += given;
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path.size() > kLongestPath ? "is too long" : nullptr;
}

std::string find_program(std::string_view name, std::string_view prefix) {
  std::string found(name);
  if (name.find('/') != name.npos) {
    return parse_path(name, prefix, found) == nullptr ? found : std::string(name);
  }
  const char* variable = std::getenv("PATH");
  std::string all(variable != nullptr ? variable : "");
  all += ":/usr/local/bin:/usr/bin:/bin:";
  for (std::size_t from = 0, to = 0; (to = all.find(':', from)) != all.npos; from = to + 1) {
    std::string path = all.substr(from, to - from) + "/" + found;
    if (path.front() == '/' && to > from && access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return found;
}

int parse_height(std::string_view name) {
  if (!name.ends_with('p')) {
    return 0;
  }
  name.remove_suffix(1);
  const std::int64_t lines = parse_number(name).value_or(0);
  const bool plain = !name.empty() && name.front() != '0';
  return plain && lines >= 16 && lines <= 8640 ? static_cast<int>(lines) : 0;
}

const char* add_rendition(std::span<const std::string_view> args,
                          std::vector<transcode::RenditionSetting>& list) {
  transcode::RenditionSetting rendition;
  if (const char* fault = parse_rendition(args, rendition)) {
    return fault;
  }
  if (std::any_of(list.begin(), list.end(),
                  [&](const auto& one) { return one.name == rendition.name; })) {
    return "is duplicate";
  }
  if (list.size() == kMostRenditions) {
    return "is given too often: at most 7 renditions are made beside the source";
  }
  list.push_back(std::move(rendition));
  return nullptr;
}

}  // namespace recording::config
