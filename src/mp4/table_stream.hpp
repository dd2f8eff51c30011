#pragma once

#include <cstdint>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// Writes bytes to a place in a file through a buffer. Remembers the first error and then writes no
// more, so that callers test once, at close().
class TableStream {
 public:
  TableStream() = default;
  TableStream(storage::File& file, std::uint64_t offset, std::uint64_t size)
      : file_(&file), offset_(offset), left_(size) {}

  void u32(std::uint32_t value) {
    const std::size_t at = grow(4);
    for (std::size_t i = 0; i < 4; ++i) {
      buffer_[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
  }
  void u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
  }
  void bytes(ByteView value) {
    flush();
    put_bytes(buffer_, value);
    used_ = buffer_.size();
  }
  // Writes the rest. kInternal when the place was not filled exactly.
  Status close();

 private:
  static constexpr std::size_t kBuffer = 4096;

  // Where the next `size` bytes go in buffer_.
  std::size_t grow(std::size_t size) {
    if (used_ + size > buffer_.size()) {
      flush();
      buffer_.resize(kBuffer);
    }
    return std::exchange(used_, used_ + size);
  }
  void flush();

  storage::File* file_ = nullptr;
  std::uint64_t offset_ = 0, left_ = 0;
  Bytes buffer_;
  std::size_t used_ = 0;  // of buffer_
  Status status_ = ok();
};

}  // namespace recording::mp4
