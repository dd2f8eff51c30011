#include "transcode/flv_tag_reader.hpp"

#include <algorithm>
#include <array>

namespace recording::transcode {
namespace {

constexpr std::size_t kFileHeaderSize = 9, kTagHeaderSize = 11, kTagSizeSize = 4;

std::uint32_t number(ByteView bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8 | bytes[at + i];
  }
  return value;
}

}  // namespace

bool FlvTagReader::add(ByteView piece, const std::function<void(const Tag&)>& use) {
  if (broken_) {
    return false;
  }
  const bool has_begun = !begun_.empty();
  if (has_begun) {
    put_bytes(begun_, piece);
  }
  const ByteView bytes = has_begun ? ByteView(begun_) : piece;
  std::size_t used = 0;
  for (std::size_t size = 1; size > 0 && !broken_; used += size) {
    const ByteView rest = bytes.subspan(used);
    size = has_header_ ? take_tag(rest, use) : take_header(rest);
  }
  if (broken_) {
    begun_.clear();
  } else if (has_begun) {
    begun_.erase(begun_.begin(), begun_.begin() + static_cast<std::ptrdiff_t>(used));
  } else {
    put_bytes(begun_, bytes.subspan(used));
  }
  return !broken_;
}

// E.2, and the first PreviousTagSize. 0: there is not enough yet.
std::size_t FlvTagReader::take_header(ByteView bytes) {
  constexpr std::array<std::uint8_t, 4> kSignature = {'F', 'L', 'V', 1};
  const std::size_t known = std::min(bytes.size(), kSignature.size());
  broken_ = !std::equal(kSignature.begin(), kSignature.begin() + known, bytes.begin());
  if (broken_ || bytes.size() < kFileHeaderSize + kTagSizeSize) {
    return 0;
  }
  broken_ = number(bytes, 5, 4) != kFileHeaderSize || number(bytes, kFileHeaderSize, 4) != 0;
  has_header_ = true;
  return kFileHeaderSize + kTagSizeSize;
}

std::size_t FlvTagReader::take_tag(ByteView bytes, const std::function<void(const Tag&)>& use) {
  if (bytes.size() < kTagHeaderSize) {
    return 0;
  }
  const std::size_t size = number(bytes, 1, 3);
  const std::size_t whole = kTagHeaderSize + size + kTagSizeSize;
  Tag tag;
  tag.type = bytes[0];
  broken_ = tag.type != kAudio && tag.type != kVideo && tag.type != kScript;
  if (broken_ || bytes.size() < whole) {
    return 0;
  }
  broken_ = number(bytes, whole - kTagSizeSize, 4) != kTagHeaderSize + size;
  if (broken_) {
    return 0;
  }
  tag.timestamp_ms = std::uint32_t{bytes[7]} << 24 | number(bytes, 4, 3);
  tag.body = bytes.subspan(kTagHeaderSize, size);
  use(tag);
  return whole;
}

}  // namespace recording::transcode
