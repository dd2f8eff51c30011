#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace recording::mp4 {

// CRC-32 of IEEE 802.3, as zlib computes it. `before`: the CRC of the bytes in front of these.
std::uint32_t crc32(ByteView bytes, std::uint32_t before = 0);

}  // namespace recording::mp4
