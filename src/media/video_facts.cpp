#include "media/video_facts.hpp"

#include <array>

#include "media/track_config.hpp"

namespace recording::media {

namespace {

struct AspectRatio {
  std::uint32_t num = 1, den = 1;
};

AspectRatio read_aspect_ratio(BitReader& in) {
  // Table E-1; 0 is "unspecified"
  static constexpr std::array<AspectRatio, 17> kRatios{{{1, 1},
                                                        {1, 1},
                                                        {12, 11},
                                                        {10, 11},
                                                        {16, 11},
                                                        {40, 33},
                                                        {24, 11},
                                                        {20, 11},
                                                        {32, 11},
                                                        {80, 33},
                                                        {18, 11},
                                                        {15, 11},
                                                        {64, 33},
                                                        {160, 99},
                                                        {4, 3},
                                                        {3, 2},
                                                        {2, 1}}};
  constexpr std::uint8_t kExtendedSar = 255;
  const std::uint8_t idc = in.u8();
  if (idc == kExtendedSar) {
    const std::uint32_t num = in.bits(16);
    const std::uint32_t den = in.bits(16);
    return num != 0 && den != 0 ? AspectRatio{num, den} : AspectRatio{};  // else unspecified
  }
  return idc < kRatios.size() ? kRatios[idc] : AspectRatio{};
}

}  // namespace

void read_vui_signal(BitReader& in, VuiSignal& signal) {
  if (in.flag()) {  // aspect_ratio_info_present_flag
    const AspectRatio ratio = read_aspect_ratio(in);
    signal.sar_num = ratio.num;
    signal.sar_den = ratio.den;
  }
  if (in.flag()) {  // overscan_info_present_flag
    in.skip(1);
  }
  if (in.flag()) {  // video_signal_type_present_flag
    in.skip(3);     // video_format
    signal.range_said = true;
    signal.full_range = in.flag();
    if (in.flag()) {  // colour_description_present_flag
      signal.colour_primaries = in.u8();
      signal.transfer_characteristics = in.u8();
      signal.matrix_coefficients = in.u8();
    }
  }
  if (in.flag()) {  // chroma_loc_info_present_flag
    (void)in.ue();
    (void)in.ue();
  }
}

void say_signal(const VuiSignal& signal, SourceParameters& source) {
  source.sar_num = signal.sar_num;
  source.sar_den = signal.sar_den;
  if (signal.range_said) {
    source.color_range = signal.full_range ? ColorRange::kFull : ColorRange::kLimited;
  }
  source.color_primaries = signal.colour_primaries;
  source.color_transfer = signal.transfer_characteristics;
  source.color_space = signal.matrix_coefficients;
}

std::string too_large(std::uint64_t width, std::uint64_t height) {
  return "a picture of " + std::to_string(width) + "x" + std::to_string(height) +
         " is larger than " + std::to_string(kMaxPictureSide) + " pixels";
}

std::uint32_t plausible_frame_duration(std::uint64_t units, std::uint64_t scale) {
  if (units == 0 || scale == 0) {
    return 0;
  }
  const std::uint64_t ticks = (std::uint64_t{kVideoTimescale} * units + scale / 2) / scale;
  constexpr std::uint64_t kShortest = kVideoTimescale / 300;
  constexpr std::uint64_t kLongest = std::uint64_t{kVideoTimescale} * 2;
  return ticks < kShortest || ticks > kLongest ? 0 : static_cast<std::uint32_t>(ticks);
}

std::uint32_t plausible_frame_rate(std::uint64_t units, std::uint64_t scale) {
  if (plausible_frame_duration(units, scale) == 0) {
    return 0;
  }
  return static_cast<std::uint32_t>((scale * 1000 + units / 2) / units);
}

}  // namespace recording::media
