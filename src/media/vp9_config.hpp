#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/track_config.hpp"

namespace recording::media {

// What a VP9 key frame says of itself (VP9 Bitstream & Decoding Process Specification, 6.2).
struct Vp9Frame {
  std::uint8_t profile = 0, bit_depth = 8;
  std::uint8_t color_space = 0;  // table of 7.2.2: 0 unknown, 7 RGB
  bool full_range = false, subsampling_x = true, subsampling_y = true;
  std::uint32_t width = 0, height = 0;
};
inline constexpr std::size_t kVp9FrameHead = 16;  // bytes are enough for it
// kNotFound: not a key frame.
Result<Vp9Frame> parse_vp9_key_frame(ByteView front);

// A VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding, 1.0), which does not say
// the size: that is in the key frames.
struct Vp9Config {
  std::uint8_t level = 0;            // 0: not known
  std::uint8_t chroma_position = 1;  // of 4:2:0: 0 vertical, 1 colocated with luma
  std::uint8_t colour_primaries = 2, transfer_characteristics = 2, matrix_coefficients = 2;

  // The record as the key frame makes it: where both speak, the frame is right.
  [[nodiscard]] TrackConfig track(const Vp9Frame& frame) const;
};
// With or without the version and flags of the box that it is in.
Result<Vp9Config> parse_vp9_config(ByteView record);

}  // namespace recording::media
