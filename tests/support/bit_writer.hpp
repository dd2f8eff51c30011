#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace recording::test {

// Writes bits, most significant first: the other side of what parsers of bit streams read.
class BitWriter {
 public:
  BitWriter& bits(unsigned count, std::uint64_t value) {
    for (unsigned i = count; i-- > 0;) {
      if (used_ % 8 == 0) {
        bytes_.push_back(0);
      }
      if ((value >> i & 1) != 0) {
        bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | 0x80U >> used_ % 8);
      }
      ++used_;
    }
    return *this;
  }
  // ITU-T H.264, 9.1
  BitWriter& ue(std::uint32_t value) {
    const std::uint64_t code = std::uint64_t{value} + 1;
    unsigned size = 0;
    while (code >> size != 0) {
      ++size;
    }
    return bits(2 * size - 1, code);
  }
  BitWriter& se(std::int32_t value) {
    return ue(value > 0 ? 2 * static_cast<std::uint32_t>(value) - 1
                        : 2 * static_cast<std::uint32_t>(-value));
  }
  BitWriter& align_to_byte() { return bits(static_cast<unsigned>((8 - used_ % 8) % 8), 0); }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::size_t used_ = 0;
};

}  // namespace recording::test
