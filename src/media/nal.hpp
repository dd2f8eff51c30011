#pragma once

#include <cstddef>

#include "base/bytes.hpp"

namespace recording::media {

// The payload of a NAL unit of H.264 (7.3.1) or H.265 (7.3.1.1): an emulation_prevention_three_byte
// follows two zero bytes and is no part of it. At most `limit` bytes are looked at.
inline Bytes without_emulation_prevention(ByteView nal, std::size_t limit = ~std::size_t{0}) {
  Bytes payload;
  const std::size_t size = nal.size() < limit ? nal.size() : limit;
  payload.reserve(size);
  int zeros = 0;
  for (const std::uint8_t byte : nal.first(size)) {
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    payload.push_back(byte);
  }
  return payload;
}

}  // namespace recording::media
