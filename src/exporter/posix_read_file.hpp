#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/unique_fd.hpp"
#include "storage/file.hpp"

namespace recording::exporter {

// A regular file open for reading only, with a descriptor that sendfile(2) can use as well. Unlike
// what storage::File promises, several threads may read it at once: pread(2) has no position.
class PosixReadFile final : public storage::File {
 public:
  // kNotFound: no such file. Symbolic links are not followed in the last component.
  static Result<std::shared_ptr<PosixReadFile>> open(const std::string& path);

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  // Of its last change, since 1970.
  [[nodiscard]] Result<std::int64_t> modified_ns() const;
  // Whether its last name was removed since. One system call, that no local disk holds up.
  [[nodiscard]] bool removed() const noexcept;

  Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) override;
  Result<std::uint64_t> size() override;
  // kInvalidArgument: it cannot be written.
  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override;
  Status sync() override;
  Status truncate(std::uint64_t size) override;

 private:
  explicit PosixReadFile(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace recording::exporter
