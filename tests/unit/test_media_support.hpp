#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "media/parameter_list.hpp"

#include "cmocka.hpp"

namespace recording::test {

inline Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

inline std::string text_of(const media::ParameterValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", *number);
    return text;
  }
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : "-";
}

// All that is known of a track, " | " between.
inline std::string text_of(const media::TrackConfig& config) {
  std::string all;
  for (const media::Parameter& parameter : media::kind_of(config.codec) == media::TrackKind::kVideo
                                               ? media::describe_video(config)
                                               : media::describe_audio(config)) {
    all += (all.empty() ? "" : " | ") + text_of(parameter.value);
  }
  return all;
}

// What an encoder sends, and what ffprobe says of the same stream.
struct Encoded {
  const char* what;
  const char* record;
  const char* by_ffprobe;
};

inline void assert_said(const char* what, const media::TrackConfig& config, const char* wanted) {
  const std::string said = text_of(config);
  if (said != wanted) {
    print_error("%s\n", what);
  }
  assert_string_equal(said.c_str(), wanted);
}

}  // namespace recording::test
