#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace recording::mp4 {

// Four characters as the number they are in a file.
constexpr std::uint32_t fourcc(std::string_view text) {
  std::uint32_t value = 0;
  for (char c : text) {
    value = value << 8 | static_cast<std::uint8_t>(c);
  }
  return value;
}

// Appends boxes (ISO/IEC 14496-12, 4.2) to bytes; the size of a box is filled in when its body is
// done. `hole` lets a box have bytes that are written elsewhere, later.
class BoxWriter {
 public:
  explicit BoxWriter(Bytes& out) : out_(out) {}

  template <class Body>
  void box(std::string_view type, Body&& body) {
    const std::size_t start = out_.size();
    const std::uint64_t holes = holes_;
    u32(0);
    u32(fourcc(type));
    body();
    patch_u32(start, static_cast<std::uint32_t>(out_.size() - start + (holes_ - holes)));
  }

  template <class Body>
  void full_box(std::string_view type, std::uint8_t version, std::uint32_t flags, Body&& body) {
    box(type, [&] {
      u8(version);
      u24(flags);
      body();
    });
  }

  void u8(std::uint8_t value) { put_u8(out_, value); }
  void u16(std::uint16_t value) { put_u16(out_, value); }
  void u24(std::uint32_t value) { put_u24(out_, value); }
  void u32(std::uint32_t value) { put_u32(out_, value); }
  void u64(std::uint64_t value) { put_u64(out_, value); }
  void bytes(ByteView value) { put_bytes(out_, value); }
  void text(std::string_view value) { out_.insert(out_.end(), value.begin(), value.end()); }
  void zeros(std::size_t count) { out_.insert(out_.end(), count, 0); }
  // A time that is 64 bits wide in version 1 of its box.
  void time(bool wide, std::uint64_t value) {
    wide ? u64(value) : u32(static_cast<std::uint32_t>(value));
  }

  void hole(std::uint64_t size) { holes_ += size; }
  [[nodiscard]] std::size_t position() const { return out_.size(); }

  void patch_u32(std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) {
      out_[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
  }

 private:
  Bytes& out_;
  std::uint64_t holes_ = 0;
};

}  // namespace recording::mp4
