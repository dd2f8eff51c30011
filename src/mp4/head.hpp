#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "mp4/track_table.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// What every file begins with: ftyp, the placeholder (16 bytes), moov with mvex, free padding.
// docs/file-format.md has it byte by byte.
inline constexpr std::uint64_t kPlaceholderSize = 16;
inline constexpr std::uint32_t kHeadStep = 4096;
inline constexpr std::uint32_t kMaxHeadSize = 1U << 20;
inline constexpr std::uint32_t kLaterTrackRoom = 1024;  // for a track that comes later

// ftyp and a moov without samples: what a decoder needs before the first fragment.
Bytes init_segment(const TrackSetups& tracks, std::int64_t created_wall_ms);

// The head with the ftyp and moov of `init`. `size` 0 chooses the size, else the head must fit into
// it (kInvalidArgument when it does not).
Result<Bytes> head_image(ByteView init, std::uint32_t size);

// Of the ftyp that an init segment begins with: the placeholder comes right behind it.
std::uint64_t ftyp_size(ByteView init);

struct Head {
  bool finished = false;          // the placeholder has become the header of mdat
  bool undone = false;            // it has, but there is no whole moov: the file grows still
  bool whole = false;             // its CRC is right: not torn
  std::uint32_t size = 0;         // where the first uuid box begins
  std::uint64_t placeholder = 0;  // offset
  std::uint64_t final_moov = 0;   // offset, when finished
  std::uint64_t file_size = 0;
  Bytes image;  // `size` bytes as they are in the file; with the right placeholder when undone
};
// kCorrupt when the file does not begin like one of ours.
Result<Head> read_head(storage::File& file);

// Whether `init` is an ftyp, the one this file has, and a moov: can be made the file's head.
bool fits_head(ByteView init, const Head& head);

// ftyp and moov of a head's image, to be compared with init_segment(); empty when torn.
Bytes init_of(const Head& head);

// The 16 bytes that make the file a regular MP4: mdat with a 64-bit size, up to the final moov.
Bytes committed_placeholder(std::uint64_t placeholder, std::uint64_t final_moov);

}  // namespace recording::mp4
