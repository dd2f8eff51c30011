#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace recording {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// Big-endian appends, as ISO BMFF (ISO/IEC 14496-12, 4.2) and FLV want them.
inline void put_u8(Bytes& out, std::uint8_t value) { out.push_back(value); }

template <int kBytes>
void put_be(Bytes& out, std::uint64_t value) {
  for (int shift = (kBytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}
inline void put_u16(Bytes& out, std::uint16_t value) { put_be<2>(out, value); }
inline void put_u24(Bytes& out, std::uint32_t value) { put_be<3>(out, value); }
inline void put_u32(Bytes& out, std::uint32_t value) { put_be<4>(out, value); }
inline void put_u64(Bytes& out, std::uint64_t value) { put_be<8>(out, value); }

inline void put_bytes(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Reads big-endian integers from bytes that came from outside. A read past the end gives 0 and
// makes ok() false for good, so a parser may test once at its end.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
  [[nodiscard]] std::size_t position() const { return at_; }

  std::uint8_t u8() { return static_cast<std::uint8_t>(be(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(be(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(be(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(be(4)); }
  std::uint64_t u64() { return be(8); }

  // The next `size` bytes, or an empty view when there are fewer.
  ByteView bytes(std::size_t size) {
    if (!ok_ || size > left()) {
      ok_ = false;
      return {};
    }
    ByteView view = bytes_.subspan(at_, size);
    at_ += size;
    return view;
  }
  void skip(std::size_t size) { (void)bytes(size); }

 private:
  std::uint64_t be(std::size_t size) {
    std::uint64_t value = 0;
    for (std::uint8_t byte : bytes(size)) {
      value = value << 8 | byte;
    }
    return value;
  }

  ByteView bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace recording
