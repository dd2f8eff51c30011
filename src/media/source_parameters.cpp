#include "media/source_parameters.hpp"

namespace recording::media {

std::string planar_format(std::uint8_t chroma_format_idc, std::uint8_t bit_depth, bool rgb,
                          bool full_range_name) {
  const std::string depth = bit_depth == 8 ? "" : std::to_string(bit_depth) + "le";
  if (rgb) {
    return "gbrp" + depth;
  }
  const char* const chroma = chroma_format_idc == 3   ? "444p"
                             : chroma_format_idc == 2 ? "422p"
                                                      : "420p";
  return (bit_depth == 8 && full_range_name ? "yuvj" : "yuv") + (chroma + depth);
}

std::string gray_format(std::uint8_t bit_depth) {
  return bit_depth == 8 ? "gray" : "gray" + std::to_string(bit_depth) + "le";
}

}  // namespace recording::media
