#pragma once

#include <algorithm>

#include "storage/file.hpp"

namespace recording::test {

// A file that is a vector. Refuses to grow out of proportion: nothing the fuzzer makes may cost
// more than what it brought.
class BytesFile final : public storage::File {
 public:
  explicit BytesFile(Bytes bytes)
      : bytes_(std::move(bytes)), limit_((bytes_.size() << 6) + (1U << 20)) {}

  Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) override {
    const std::uint64_t left = bytes_.size() - std::min<std::uint64_t>(offset, bytes_.size());
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, into.size()));
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(bytes_.size() - left), size,
                into.begin());
    return size;
  }
  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override {
    for (const iovec& piece : pieces) {
      if (offset > limit_ || piece.iov_len > limit_ - offset) {
        __builtin_trap();
      }
      bytes_.resize(std::max<std::size_t>(bytes_.size(), offset + piece.iov_len));
      std::copy_n(static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len,
                  bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
      offset += piece.iov_len;
    }
    return ok();
  }
  Status sync() override { return ok(); }
  Status truncate(std::uint64_t size) override {
    bytes_.resize(size);
    return ok();
  }
  Result<std::uint64_t> size() override { return bytes_.size(); }

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::uint64_t limit_;
};

}  // namespace recording::test
