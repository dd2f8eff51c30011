#pragma once

#include <cstdint>
#include <string>

namespace recording::transcode {

struct PictureSize {
  std::uint32_t width = 0, height = 0;
  bool operator==(const PictureSize&) const = default;
};

// Even sides, as 4:2:0 wants them, and not larger.
PictureSize even(PictureSize size);
// Its shorter side becomes `lines`; even sides.
PictureSize scaled(PictureSize size, int lines);

// What the shape of a picture is as it is seen, as a fraction in its lowest terms: `size` of pixels
// that are sar_num wide and sar_den high.
struct PictureShape {
  std::uint64_t across = 1, down = 1;
};
PictureShape shape_of(PictureSize size, std::uint32_t sar_num, std::uint32_t sar_den);

// An encoder's bit rate over a second may be that much.
std::int64_t most_bps(std::int64_t bps);
// level_idc of H.264 in the High profile, for pictures of that size, number a second and most bits.
std::uint8_t avc_level(PictureSize size, double rate, std::int64_t most_bps);

// Filters of ffmpeg that make pictures of that size and shape of whatever comes: one of another
// shape gets bars. `scale_options` begin with a colon, or are empty.
std::string letterbox(PictureSize size, PictureShape shape, const std::string& scale_options);
// Says the shape exactly, whatever the rounding to even sides did to it.
std::string set_shape(PictureShape shape);

}  // namespace recording::transcode
