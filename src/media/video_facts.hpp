#pragma once

#include <cstdint>
#include <string>

#include "media/bit_reader.hpp"

namespace recording::media {

// What the headers of several video codecs have in common.

// The sample aspect ratio of a VUI (H.264 and H.265, E.2.1, with table E-1); 1:1 where it is
// unspecified.
struct AspectRatio {
  std::uint32_t num = 1, den = 1;
};
AspectRatio read_aspect_ratio(BitReader& in);

// Sides beyond this are taken for damage.
inline constexpr std::uint32_t kMaxPictureSide = 16384;
std::string too_large(std::uint64_t width, std::uint64_t height);  // says it of a picture

// What a frame lasts in ticks of kVideoTimescale, of `units` of which there are `scale` a second; 0
// where that is nothing a camera does, or not said.
std::uint32_t plausible_frame_duration(std::uint64_t units, std::uint64_t scale);
// The same in frames in 1000 s.
std::uint32_t plausible_frame_rate(std::uint64_t units, std::uint64_t scale);

}  // namespace recording::media
