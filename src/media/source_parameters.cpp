#include "media/source_parameters.hpp"

#include <array>
#include <cmath>
#include <optional>
#include <span>

#include "media/avc_config.hpp"

namespace recording::media {
namespace {

using Value = ParameterValue;

// 0: the configuration does not say.
Value positive(std::uint32_t value) { return value != 0 ? Value(std::int64_t{value}) : Value(); }

// ITU-T H.264, A.2; constraint_set1_flag and constraint_set3_flag narrow some profiles down.
std::string profile_name(const AvcSps& sps) {
  const bool constrained = (sps.constraints & 0x40) != 0;
  const std::string intra = (sps.constraints & 0x10) != 0 ? " Intra" : "";
  switch (sps.profile) {
    case 44:
      return "CAVLC 4:4:4";
    case 66:
      return constrained ? "Constrained Baseline" : "Baseline";
    case 77:
      return "Main";
    case 88:
      return "Extended";
    case 100:
      return "High";
    case 110:
      return "High 10" + intra;
    case 118:
      return "Multiview High";
    case 122:
      return "High 4:2:2" + intra;
    case 128:
      return "Stereo High";
    case 244:
      return intra.empty() ? "High 4:4:4 Predictive" : "High 4:4:4 Intra";
    default:
      return std::to_string(sps.profile);
  }
}

// The pictures that a decoder gives: monochrome is decoded as 4:2:0, and full range has names of
// its own at 8 bits.
std::string pixel_format(const AvcSps& sps) {
  constexpr std::uint8_t kMatrixRgb = 0;  // H.264, table E-5
  const bool eight = sps.bit_depth_luma == 8;
  const std::string depth = eight ? "" : std::to_string(sps.bit_depth_luma) + "le";
  if (sps.chroma_format_idc == 3 && sps.matrix_coefficients == kMatrixRgb) {
    return "gbrp" + depth;
  }
  const char* const chroma = sps.chroma_format_idc == 3   ? "444p"
                             : sps.chroma_format_idc == 2 ? "422p"
                                                          : "420p";
  return (eight && sps.full_range ? "yuvj" : "yuv") + (chroma + depth);
}

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

// Frames per second to three places. An SPS that counts in ticks which are no frame rate (variable
// frame rate in milliseconds, say) declares none: parse_avc_config() has looked at that.
Value frame_rate(const AvcSps& sps, const TrackConfig& checked) {
  if (checked.default_duration == 0) {
    return {};
  }
  return std::round(sps.time_scale * 500.0 / sps.num_units_in_tick) / 1000.0;
}

}  // namespace

Parameters describe_video(const TrackConfig& config) {
  AvcSps sps;
  std::optional<TrackConfig> track;
  if (config.codec == Codec::kAvc) {
    if (auto parsed = parse_avc_config(config.record)) {
      sps = parsed.value().sps;
      track = parsed.value().track();
    }
  }
  const auto said = [&track](auto value) { return track ? Value(value) : Value(); };
  return {
      {"codec", std::string(codec_name(config.codec))},
      {"profile", said(profile_name(sps))},
      {"level", said(std::int64_t{sps.level})},
      {"width", positive(config.width)},
      {"height", positive(config.height)},
      {"sample_aspect_ratio",
       std::to_string(config.sar_num) + ":" + std::to_string(config.sar_den)},
      {"pix_fmt", said(pixel_format(sps))},
      {"color_range", sps.range_said ? Value(std::string(sps.full_range ? "pc" : "tv")) : Value()},
      {"color_primaries", colour_primaries(sps.colour_primaries)},
      {"color_transfer", named(kTransfers, sps.transfer_characteristics)},
      {"color_space", named(kMatrices, sps.matrix_coefficients)},
      {"bit_depth", said(std::int64_t{sps.bit_depth_luma})},
      {"interlaced", said(!sps.frame_mbs_only)},
      {"frame_rate_declared", track ? frame_rate(sps, *track) : Value()},
  };
}

Parameters describe_audio(const TrackConfig& config) {
  return {{"codec", std::string(codec_name(config.codec))},
          {"sample_rate", positive(config.sample_rate)},
          {"channels", positive(config.channels)}};
}

}  // namespace recording::media
