#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "media/track_config.hpp"

namespace recording::media {

// Nothing: the source does not say.
using ParameterValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

// One thing that a track's configuration says of its media.
struct Parameter {
  std::string_view name;
  ParameterValue value;
  bool operator==(const Parameter&) const = default;
};
// Always the same names in the same order for all tracks of a kind, whatever is known of them.
using Parameters = std::vector<Parameter>;

// What ffprobe would print of such a stream, in its words; docs/http-api.md, "Timeline object".
Parameters describe_video(const TrackConfig& config);
Parameters describe_audio(const TrackConfig& config);

}  // namespace recording::media
