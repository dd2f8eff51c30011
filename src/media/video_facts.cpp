#include "media/video_facts.hpp"

#include <array>

#include "media/track_config.hpp"

namespace recording::media {

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
