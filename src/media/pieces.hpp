#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace recording::media {

// A message as it lies in memory: pieces in order, never copied together.
using Pieces = std::span<const iovec>;

// Appends to `out` the part of `pieces` that begins at `from` and is `size` long.
inline void slice(Pieces pieces, std::size_t from, std::size_t size, std::vector<iovec>& out) {
  for (const iovec& piece : pieces) {
    if (size == 0) {
      return;
    }
    if (from >= piece.iov_len) {
      from -= piece.iov_len;
      continue;
    }
    const std::size_t take = std::min(size, piece.iov_len - from);
    out.push_back({static_cast<std::uint8_t*>(piece.iov_base) + from, take});
    size -= take;
    from = 0;
  }
}

// Reads pieces as if they were one. Each step costs what it passes in pieces, not in bytes. As
// ByteReader: a read past the end gives 0 and makes ok() false for good.
class PieceReader {
 public:
  explicit PieceReader(Pieces pieces) : pieces_(pieces) {
    for (const iovec& piece : pieces) {
      left_ += piece.iov_len;
    }
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::uint64_t left() const { return left_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }

  std::uint64_t big_endian(unsigned size) {
    std::uint64_t value = 0;
    each(size, [&value](const std::uint8_t* bytes, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        value = value << 8 | bytes[i];
      }
    });
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(big_endian(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  void skip(std::uint64_t size) {
    each(size, [](const std::uint8_t*, std::size_t) {});
  }
  void copy(std::uint64_t size, Bytes& out) {
    each(size, [&out](const std::uint8_t* bytes, std::size_t count) {
      out.insert(out.end(), bytes, bytes + count);
    });
  }

 private:
  template <class Use>
  void each(std::uint64_t size, Use use) {
    if (!ok_ || size > left_) {
      ok_ = false;
      return;
    }
    left_ -= size;
    position_ += size;
    while (size > 0) {
      const iovec& piece = pieces_[index_];
      const std::size_t here = piece.iov_len - offset_;
      if (here == 0) {
        ++index_;
        offset_ = 0;
        continue;
      }
      const std::size_t take = size < here ? static_cast<std::size_t>(size) : here;
      use(static_cast<const std::uint8_t*>(piece.iov_base) + offset_, take);
      offset_ += take;
      size -= take;
    }
  }

  Pieces pieces_;
  std::size_t index_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t position_ = 0;
  bool ok_ = true;
};

}  // namespace recording::media
