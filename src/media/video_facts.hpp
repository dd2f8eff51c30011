#pragma once

#include <cstdint>
#include <string>

#include "media/bit_reader.hpp"
#include "media/source_parameters.hpp"

namespace recording::media {

// What the headers of several video codecs have in common.

// What a VUI begins with, as far as the place of the chroma samples (H.264, E.1.1; H.265, E.2.1).
// The shape of a sample is 1:1 where it is unspecified.
struct VuiSignal {
  std::uint32_t sar_num = 1, sar_den = 1;
  bool range_said = false, full_range = false;  // not said: limited
  // ITU-T H.273; 2: unspecified
  std::uint8_t colour_primaries = 2, transfer_characteristics = 2, matrix_coefficients = 2;
};
void read_vui_signal(BitReader& in, VuiSignal& signal);
void say_signal(const VuiSignal& signal, SourceParameters& source);

// Sides beyond this are taken for damage.
inline constexpr std::uint32_t kMaxPictureSide = 16384;
std::string too_large(std::uint64_t width, std::uint64_t height);  // says it of a picture

// What a frame lasts in ticks of kVideoTimescale, of `units` of which there are `scale` a second; 0
// where that is nothing a camera does, or not said.
std::uint32_t plausible_frame_duration(std::uint64_t units, std::uint64_t scale);
// The same in frames in 1000 s.
std::uint32_t plausible_frame_rate(std::uint64_t units, std::uint64_t scale);

}  // namespace recording::media
