#pragma once

#include "mp4/box_reader.hpp"
#include "mp4/box_writer.hpp"
#include "mp4/crc32.hpp"
#include "mp4/head.hpp"
#include "mp4/private_boxes.hpp"

namespace recording::test {

// Makes the checksums of a mutated file right again, so that what is behind them is reached too.
inline void mend_checksums(Bytes& bytes) {
  const auto put_crc = [&](std::size_t at, std::uint32_t crc) {
    mp4::BoxWriter(bytes).patch_u32(at, crc);
  };
  for (std::size_t at = 0; at + mp4::kPrivateHeader <= bytes.size();) {
    const auto header = mp4::parse_box_header(ByteView(bytes).subspan(at));
    if (!header || header->size > bytes.size() - at) {
      return;
    }
    const auto size = static_cast<std::size_t>(header->size);
    const ByteView box = ByteView(bytes).subspan(at, size);
    if (mp4::private_kind(box) != 0 && size >= mp4::kPrivateHeader + mp4::kPrivateTrailer) {
      put_crc(at + size - 4, mp4::crc32(box.first(size - 4)));
    }
    // The big mdat of a finished file is looked into.
    at += header->type == mp4::fourcc("mdat") && header->header_size == 16 ? 16 : size;
  }
}

}  // namespace recording::test
