// A file of anybody's making is served: never a crash, never a byte outside what was asked for.
#include <algorithm>
#include <memory>
#include <optional>

#include "mp4/served_layout.hpp"
#include "mp4_bytes_file.hpp"

using namespace recording;

namespace {

void serve(const std::shared_ptr<test::BytesFile>& file, std::uint64_t size, std::size_t step,
           const std::optional<mp4::Clip>& clip) {
  auto opened = mp4::ServedLayout::open(file, size, clip);
  if (!opened) {
    return;
  }
  const mp4::ServedLayout& layout = *opened.value();
  if (layout.length() < layout.memory_length() ||
      layout.media_offset() + layout.length() - layout.memory_length() > size) {
    __builtin_trap();  // promises bytes that are not there
  }
  if (clip && layout.memory_length() > (size << 6) + (1U << 20)) {
    __builtin_trap();  // a small file makes a big clip
  }
  Bytes piece(step);
  for (std::uint64_t at = 0; at < layout.memory_length(); at += piece.size()) {
    const std::uint64_t left = layout.memory_length() - at;
    (void)layout.read(std::span(piece).first(
                          static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()))),
                      at);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::size_t step = 1 + data[0] % 61;
  auto file = std::make_shared<test::BytesFile>(Bytes(data + 1, data + size));
  serve(file, size - 1, step, {});
  serve(file, size - 1, step, mp4::Clip{data[0] % 4U, 0, mp4::kEndless});
  serve(file, size - 1, step, mp4::Clip{{}, data[0] * 20, data[0] * 20 + 1500});
  serve(file, size - 1, step, mp4::Clip{{}, 0, mp4::kEndless});
  return 0;
}
