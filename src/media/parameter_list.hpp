#pragma once

#include <array>
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

// Every field that a ParameterChange can have.
inline constexpr std::array<std::string_view, 19> kParameterFields = {
    "video.codec",          "video.profile",      "video.level",
    "video.width",          "video.height",       "video.sample_aspect_ratio",
    "video.pix_fmt",        "video.color_range",  "video.color_primaries",
    "video.color_transfer", "video.color_space",  "video.bit_depth",
    "video.interlaced",     "video.has_b_frames", "video.frame_rate_declared",
    "audio.codec",          "audio.profile",      "audio.sample_rate",
    "audio.channels"};

// A parameter of a track that was there before.
struct ParameterChange {
  std::string field;  // "video.width"
  ParameterValue from, to;
};
// What differs between two lists of a track of one kind, in their order.
std::vector<ParameterChange> changes_between(TrackKind kind, const Parameters& before,
                                             const Parameters& after);
// "yuv420p", "29.97", "yes"; "not said" for nothing
std::string value_in_words(const ParameterValue& value);
// "pixel format yuv420p → yuvj420p, colour range tv → pc"
std::string in_words(const std::vector<ParameterChange>& changes);

}  // namespace recording::media
