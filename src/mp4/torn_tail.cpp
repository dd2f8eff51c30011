#include "mp4/torn_tail.hpp"

#include <algorithm>
#include <cstring>

#include "mp4/box_reader.hpp"
#include "mp4/fragment_header.hpp"
#include "mp4/private_boxes.hpp"
#include "mp4/scanner.hpp"

namespace recording::mp4 {
namespace {

struct Seen {
  int fragments = 0;  // counted up to 2
  bool only_zeros = true;
};

// The packet of sound in front of a seam was written with the fragment behind it.
bool is_sound_ahead(storage::File& file, std::uint64_t at, std::uint64_t end) {
  constexpr std::uint64_t kMost = 512;
  Bytes moof(static_cast<std::size_t>(std::min(kMost, end - at)));
  if (!read_exactly(file, moof, at)) {
    return false;
  }
  const auto header = parse_box_header(moof);
  if (!header || header->size > moof.size()) {
    return false;
  }
  auto fragment =
      parse_fragment_header(ByteView(moof).first(static_cast<std::size_t>(header->size)), {});
  return fragment && fragment.value().runs.size() == 1 &&
         fragment.value().runs[0].kind == media::TrackKind::kAudio &&
         fragment.value().runs[0].samples.size() == 1;
}

// Looks for moof boxes by their first bytes, whatever is broken in front of them.
Result<Seen> search(storage::File& file, std::uint64_t at, std::uint64_t end) {
  constexpr std::size_t kFront = 12;  // 'moof', then the size and type of mfhd (8.8.4, 8.8.5)
  Bytes block(256 * 1024);
  Seen seen;
  while (at < end && seen.fragments < 2) {
    const auto piece = std::span(block).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), end - at)));
    RECORDING_TRY(read_exactly(file, piece, at));
    seen.only_zeros = seen.only_zeros && std::all_of(piece.begin(), piece.end(),
                                                     [](std::uint8_t byte) { return byte == 0; });
    for (std::size_t i = 0; i + kFront <= piece.size(); ++i) {
      const auto* found =
          static_cast<const std::uint8_t*>(std::memchr(&piece[i], 'm', piece.size() - i));
      if (found == nullptr) {
        break;
      }
      i = static_cast<std::size_t>(found - piece.data());
      if (i + kFront <= piece.size() && std::memcmp(found, "moof", 4) == 0 &&
          std::memcmp(found + 8, "mfhd", 4) == 0) {
        const std::uint64_t moof = std::max<std::uint64_t>(at + i, 4) - 4;  // behind its size
        seen.fragments += is_sound_ahead(file, moof, end) ? 0 : 1;
      }
    }
    // The next piece begins with what was too short to tell.
    at += at + piece.size() < end ? piece.size() - (kFront - 1) : piece.size();
  }
  return seen;
}

}  // namespace

Result<TornTail> look_at_tail(storage::File& file, const Scan& found) {
  using What = TornTail::What;
  const std::uint64_t end = found.head.file_size;
  TornTail tail{found.end, end - found.end, What::kMore};
  Bytes buffer;
  if (read_private_box(file, found.end, end, kTailBox, buffer)) {
    tail.what = What::kUnfinishedEnd;
    return tail;
  }
  Bytes front(static_cast<std::size_t>(std::min<std::uint64_t>(tail.bytes, 8)));
  RECORDING_TRY(read_exactly(file, front, found.end));
  const auto header = parse_box_header(front);
  const bool ours = front.size() < 8 ||
                    (header && (header->type == fourcc("moof") || header->type == fourcc("uuid")));
  auto seen = search(file, found.end, end);
  if (!seen) {
    return std::move(seen).error();
  }
  if (seen.value().only_zeros || (ours && seen.value().fragments <= 1)) {
    tail.what = What::kFragment;
  }
  return tail;
}

}  // namespace recording::mp4
