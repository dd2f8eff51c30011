#pragma once

#include <cstdint>
#include <string>

namespace recording::media {

// Numbered as FFmpeg does; stored in files: never renumber.
enum class ColorRange : std::uint8_t { kNotSaid = 0, kLimited = 1, kFull = 2 };

inline constexpr std::uint8_t kColorNotSaid = 2;  // ITU-T H.273: unspecified

// What a source says of its media, decoded from whatever its codec says it with. The codec's parser
// fills it, in the words and numbers of ffprobe; everything else only compares, stores and shows
// it. Two sources that are equal here are one epoch, whatever the bytes that said it. A new field
// also goes into track_config.cpp (at the end) and parameter_list.cpp.
struct SourceParameters {
  std::string profile;      // "High", "LC"; empty: not said
  std::int32_t level = -1;  // -1: not said

  // video
  std::uint32_t width = 0, height = 0;     // pixels after cropping
  std::uint32_t sar_num = 1, sar_den = 1;  // sample aspect ratio; 1:1 also when not said
  std::string pix_fmt;                     // "yuv420p10le"; empty: not known
  std::uint8_t bit_depth = 0;              // of a luma sample
  ColorRange color_range = ColorRange::kNotSaid;
  // Code points of ITU-T H.273, 8.1 to 8.3
  std::uint8_t color_primaries = kColorNotSaid;
  std::uint8_t color_transfer = kColorNotSaid;
  std::uint8_t color_space = kColorNotSaid;
  bool interlaced = false;             // pictures may be fields
  std::int8_t has_b_frames = -1;       // pictures held back to put them in order; -1: not said
  std::uint32_t frame_rate_milli = 0;  // declared, frames in 1000 s; 0: not said

  // audio: what comes out of the decoder
  std::uint32_t sample_rate = 0;  // Hz
  std::uint16_t channels = 0;

  bool operator==(const SourceParameters&) const = default;
};

// ffprobe's name of a planar format. `chroma_format_idc`: 0 monochrome, decoded as 4:2:0, 1 4:2:0,
// 2 4:2:2, 3 4:4:4. `full_range_name`: 8 bits of full range have names of their own ("yuvj420p"),
// which the MPEG decoders give.
std::string planar_format(std::uint8_t chroma_format_idc, std::uint8_t bit_depth, bool rgb,
                          bool full_range_name);

// The same for decoders that give monochrome as such: "gray", "gray10le".
std::string gray_format(std::uint8_t bit_depth);

}  // namespace recording::media
