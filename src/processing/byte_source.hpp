#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "mp4/served_layout.hpp"
#include "storage/file.hpp"

namespace recording::processing {

// What a program gets at its standard input. One thread; may block.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `into` as far as there is something; 0: the end.
  virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(std::move(bytes)) {}
  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    const std::size_t size = std::min(into.size(), bytes_.size() - at_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), size, into.begin());
    at_ += size;
    return size;
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

// A finished recording, or a clip of one, as a download has it.
class MovieSource final : public ByteSource {
 public:
  static Result<std::unique_ptr<ByteSource>> open(std::shared_ptr<storage::File> file,
                                                  const std::optional<mp4::Clip>& clip = {}) {
    auto layout = mp4::ServedLayout::open(file, mp4::Committed{}, clip);
    if (!layout) {
      return std::move(layout).error();
    }
    return std::unique_ptr<ByteSource>(new MovieSource(std::move(file), std::move(layout).value()));
  }

  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    const std::uint64_t memory = layout_->memory_length();
    const std::uint64_t end = at_ < memory ? memory : layout_->length();
    into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), end - at_)));
    if (into.empty()) {
      return std::size_t{0};
    }
    if (at_ < memory) {
      RECORDING_TRY(layout_->read(into, at_));
    } else {
      auto size = file_->read_at(into, layout_->media_offset() + at_ - memory);
      if (!size) {
        return size;
      }
      into = into.first(size.value());
    }
    at_ += into.size();
    return into.size();
  }

 private:
  MovieSource(std::shared_ptr<storage::File> file, std::unique_ptr<mp4::ServedLayout> layout)
      : file_(std::move(file)), layout_(std::move(layout)) {}

  std::shared_ptr<storage::File> file_;
  std::unique_ptr<mp4::ServedLayout> layout_;
  std::uint64_t at_ = 0;
};

}  // namespace recording::processing
