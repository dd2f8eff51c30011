#pragma once

#include <cstdint>
#include <string_view>

#include "media/source_parameters.hpp"

namespace recording::media {

// FFmpeg's names of the code points of ITU-T H.273, 8.1 to 8.3. Empty for "unspecified" and for
// what no table has.
std::string_view color_primaries_name(std::uint8_t code);
std::string_view color_transfer_name(std::uint8_t code);
std::string_view color_space_name(std::uint8_t code);
std::string_view color_range_name(ColorRange range);  // "pc", "tv"; empty: not said

}  // namespace recording::media
