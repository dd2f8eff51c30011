#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

struct BoxHeader {
  std::uint32_t type = 0;
  std::uint32_t header_size = 0;  // 8, or 16 with a 64-bit size
  std::uint64_t size = 0;         // with its header; never less than header_size
};

// The header at the front of `bytes` (ISO/IEC 14496-12, 4.2.2). Nothing when there are too few
// bytes, the size is smaller than the header, or 0 ("to the end of the file"): we never write that
// one, and it is how a hole of zeros looks.
std::optional<BoxHeader> parse_box_header(ByteView bytes);

// Takes the boxes in `bytes` one after the other.
class BoxIterator {
 public:
  explicit BoxIterator(ByteView bytes) : rest_(bytes) {}

  // False at the end, and at a box that is not whole (then ok() is false).
  bool next();
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::uint32_t type() const { return type_; }
  [[nodiscard]] ByteView body() const { return body_; }

 private:
  ByteView rest_, body_;
  std::uint32_t type_ = 0;
  bool ok_ = true;
};

// Reads a file at rising offsets in few system calls.
class FileWindow {
 public:
  explicit FileWindow(storage::File& file) : file_(file) {}

  // `size` bytes at `offset`, fewer where the file ends; valid until the next call. Callers bound
  // `size` by what the file holds, so a forged size allocates nothing.
  Result<ByteView> view(std::uint64_t offset, std::size_t size);

 private:
  storage::File& file_;
  Bytes buffer_;
  std::uint64_t offset_ = 0;
};

// Exactly `into.size()` bytes at `offset`, or kCorrupt where the file ends before.
Status read_exactly(storage::File& file, std::span<std::uint8_t> into, std::uint64_t offset);

}  // namespace recording::mp4
