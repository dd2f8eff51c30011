#include "mp4/box_reader.hpp"

#include <algorithm>

namespace recording::mp4 {

std::optional<BoxHeader> parse_box_header(ByteView bytes) {
  ByteReader reader(bytes);
  BoxHeader header;
  header.size = reader.u32();
  header.type = reader.u32();
  header.header_size = 8;
  if (header.size == 1) {
    header.size = reader.u64();
    header.header_size = 16;
  }
  if (!reader.ok() || header.size < header.header_size) {
    return std::nullopt;
  }
  return header;
}

bool BoxIterator::next() {
  if (rest_.empty() || !ok_) {
    return false;
  }
  const auto header = parse_box_header(rest_);
  if (!header || header->size > rest_.size()) {
    ok_ = false;
    return false;
  }
  const auto size = static_cast<std::size_t>(header->size);
  type_ = header->type;
  body_ = rest_.subspan(header->header_size, size - header->header_size);
  rest_ = rest_.subspan(size);
  return true;
}

Result<ByteView> FileWindow::view(std::uint64_t offset, std::size_t size) {
  constexpr std::size_t kReadAtOnce = 4096;
  if (offset < offset_ || offset + size > offset_ + buffer_.size()) {
    buffer_.resize(std::max(size, kReadAtOnce));
    auto got = file_.read_at(buffer_, offset);
    if (!got) {
      buffer_.clear();
      return std::move(got).error();
    }
    buffer_.resize(got.value());
    offset_ = offset;
  }
  const ByteView all(buffer_);
  const auto skip = static_cast<std::size_t>(offset - offset_);
  return all.subspan(skip, std::min(size, all.size() - skip));
}

Status read_exactly(storage::File& file, std::span<std::uint8_t> into, std::uint64_t offset) {
  auto got = file.read_at(into, offset);
  if (!got) {
    return std::move(got).error();
  }
  if (got.value() != into.size()) {
    return Error{Errc::kCorrupt, "the file ends too early"};
  }
  return ok();
}

}  // namespace recording::mp4
