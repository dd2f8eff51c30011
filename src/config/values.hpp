#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transcode/settings.hpp"

// Values of directives, as nginx writes them. Whoever reads a configuration, nginx or
// recording-worker, reads them with these.
namespace recording::config {

// Whole numbers of digits alone.
std::optional<std::int64_t> parse_number(std::string_view text);
// Bytes: "500", "64k", "8m", "2g".
std::optional<std::int64_t> parse_size(std::string_view text);
// Seconds: "90", "1h30m", "30d"; larger units in front of smaller ones.
std::optional<std::int64_t> parse_seconds(std::string_view text);

bool has_control_bytes(std::string_view text);

// A path, absolute, or relative to `prefix` (with its final slash; empty: relative ones are
// refused), without slashes at its end. nullptr, or what is wrong with it.
const char* parse_path(std::string_view given, std::string_view prefix, std::string& path);

// Where execvp would find the program with the PATH of now: nginx's workers have none. Absolute
// and relative paths as parse_path() makes them; what is found nowhere stays as it is.
std::string find_program(std::string_view name, std::string_view prefix);

// "720p video=2800k audio=128k" as its parts, added to `list`. nullptr, or what is wrong with it.
const char* add_rendition(std::span<const std::string_view> args,
                          std::vector<transcode::RenditionSetting>& list);
// Lines of "720p"; 0: it is no such name.
int parse_height(std::string_view name);

}  // namespace recording::config
