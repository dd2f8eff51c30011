#include "media/parameter_list.hpp"

#include <array>
#include <span>

namespace recording::media {
namespace {

using Value = ParameterValue;

// Empty, 0, negative: the configuration does not say.
Value text(const std::string& value) { return value.empty() ? Value() : Value(value); }
Value not_negative(std::int32_t value) { return value < 0 ? Value() : Value(std::int64_t{value}); }
Value positive(std::uint32_t value) { return value != 0 ? Value(std::int64_t{value}) : Value(); }

// ITU-T H.264, table E-3 (and H.273, 8.1)
constexpr std::array<std::string_view, 13> kPrimaries = {
    "reserved",  "bt709", "",       "reserved", "bt470m",   "bt470bg", "smpte170m",
    "smpte240m", "film",  "bt2020", "smpte428", "smpte431", "smpte432"};
// Table E-4 (and H.273, 8.2)
constexpr std::array<std::string_view, 19> kTransfers = {
    "reserved",  "bt709",     "",          "reserved", "bt470m",       "bt470bg", "smpte170m",
    "smpte240m", "linear",    "log100",    "log316",   "iec61966-2-4", "bt1361e", "iec61966-2-1",
    "bt2020-10", "bt2020-12", "smpte2084", "smpte428", "arib-std-b67"};
// Table E-5 (and H.273, 8.3)
constexpr std::array<std::string_view, 15> kMatrices = {"gbr",
                                                        "bt709",
                                                        "",
                                                        "reserved",
                                                        "fcc",
                                                        "bt470bg",
                                                        "smpte170m",
                                                        "smpte240m",
                                                        "ycgco",
                                                        "bt2020nc",
                                                        "bt2020c",
                                                        "smpte2085",
                                                        "chroma-derived-nc",
                                                        "chroma-derived-c",
                                                        "ictcp"};

// Nothing for 2, "unspecified", and for what no table has.
Value named(std::span<const std::string_view> names, std::uint8_t index) {
  return index < names.size() && !names[index].empty() ? Value(std::string(names[index])) : Value();
}

Value colour_primaries(std::uint8_t index) {
  constexpr std::uint8_t kEbu3213 = 22;
  return index == kEbu3213 ? Value(std::string("ebu3213")) : named(kPrimaries, index);
}

Value colour_range(ColorRange range) {
  return range == ColorRange::kNotSaid
             ? Value()
             : Value(std::string(range == ColorRange::kFull ? "pc" : "tv"));
}

Value frame_rate(std::uint32_t milli) { return milli == 0 ? Value() : Value(milli / 1000.0); }

}  // namespace

Parameters describe_video(const TrackConfig& config) {
  const SourceParameters& source = config.source;
  return {
      {"codec", std::string(codec_name(config.codec))},
      {"profile", text(source.profile)},
      {"level", not_negative(source.level)},
      {"width", positive(source.width)},
      {"height", positive(source.height)},
      {"sample_aspect_ratio",
       std::to_string(source.sar_num) + ":" + std::to_string(source.sar_den)},
      {"pix_fmt", text(source.pix_fmt)},
      {"color_range", colour_range(source.color_range)},
      {"color_primaries", colour_primaries(source.color_primaries)},
      {"color_transfer", named(kTransfers, source.color_transfer)},
      {"color_space", named(kMatrices, source.color_space)},
      {"bit_depth", positive(source.bit_depth)},
      {"interlaced", source.interlaced},
      {"has_b_frames", not_negative(source.has_b_frames)},
      {"frame_rate_declared", frame_rate(source.frame_rate_milli)},
  };
}

Parameters describe_audio(const TrackConfig& config) {
  return {{"codec", std::string(codec_name(config.codec))},
          {"profile", text(config.source.profile)},
          {"sample_rate", positive(config.source.sample_rate)},
          {"channels", positive(config.source.channels)}};
}

}  // namespace recording::media
