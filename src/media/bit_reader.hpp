#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace recording::media {

// Reads bits, most significant first, from bytes that came from outside. As ByteReader: a read past
// the end gives 0 and makes ok() false for good.
class BitReader {
 public:
  explicit BitReader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() * 8 - at_; }

  // At most 32 bits.
  std::uint32_t bits(unsigned count) {
    if (!ok_ || count > left()) {
      ok_ = false;
      return 0;
    }
    std::uint64_t value = 0;
    while (count > 0) {
      const unsigned in_byte = 8 - static_cast<unsigned>(at_ % 8);
      const unsigned take = count < in_byte ? count : in_byte;
      const unsigned byte = bytes_[at_ / 8];
      value = value << take | ((byte >> (in_byte - take)) & ((1U << take) - 1));
      at_ += take;
      count -= take;
    }
    return static_cast<std::uint32_t>(value);
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(bits(8)); }
  bool flag() { return bits(1) != 0; }
  void skip(std::size_t count) {
    if (!ok_ || count > left()) {
      ok_ = false;
      return;
    }
    at_ += count;
  }
  void align_to_byte() { skip((8 - at_ % 8) % 8); }

  // ue(v) and se(v): ITU-T H.264, 9.1 and 9.1.1
  std::uint32_t ue() {
    unsigned zeros = 0;
    while (ok_ && !flag()) {
      if (++zeros > 31) {  // 32 zeros make 2^32 - 1 and more, which no element of ours allows
        ok_ = false;
      }
    }
    return ok_ ? static_cast<std::uint32_t>((std::uint64_t{1} << zeros) - 1 + bits(zeros)) : 0;
  }
  std::int32_t se() {
    const std::int64_t code = ue();
    return static_cast<std::int32_t>(code % 2 != 0 ? (code + 1) / 2 : -(code / 2));
  }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace recording::media
