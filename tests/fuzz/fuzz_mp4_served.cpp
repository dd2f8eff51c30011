// A file of anybody's making is served: never a crash, never a byte outside what was asked for.
#include <algorithm>
#include <memory>

#include "mp4/served_layout.hpp"
#include "mp4_bytes_file.hpp"

using namespace recording;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  auto file = std::make_shared<test::BytesFile>(Bytes(data + 1, data + size));
  auto opened = mp4::ServedLayout::open(file, size - 1);
  if (!opened) {
    return 0;
  }
  const mp4::ServedLayout& layout = *opened.value();
  if (layout.length() < layout.memory_length() ||
      layout.media_offset() + layout.length() - layout.memory_length() > size - 1) {
    __builtin_trap();  // promises bytes that are not there
  }
  Bytes piece(1 + data[0] % 61);
  for (std::uint64_t at = 0; at < layout.memory_length(); at += piece.size()) {
    const std::uint64_t left = layout.memory_length() - at;
    (void)layout.read(std::span(piece).first(
                          static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()))),
                      at);
  }
  return 0;
}
