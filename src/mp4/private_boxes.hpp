#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "mp4/box_reader.hpp"
#include "mp4/box_writer.hpp"
#include "mp4/track_table.hpp"

namespace recording::mp4 {

// Our boxes: `uuid` with one extended type, then 4 characters that say which, a version, and at the
// end a CRC-32 of everything before. docs/file-format.md has them byte by byte.
inline constexpr std::uint32_t kIdentityBox = fourcc("iden");
inline constexpr std::uint32_t kHeadCopyBox = fourcc("head");
inline constexpr std::uint32_t kEpochBox = fourcc("epoc");
inline constexpr std::uint32_t kMarkBox = fourcc("mark");
inline constexpr std::uint32_t kRepairBox = fourcc("tsrp");
inline constexpr std::uint32_t kIndexBox = fourcc("indx");
inline constexpr std::uint32_t kTailBox = fourcc("tail");

inline constexpr std::size_t kPrivateHeader = 32;  // size, 'uuid', extended type, kind, version
inline constexpr std::size_t kPrivateTrailer = 4;  // CRC-32

void write_private_box(Bytes& out, std::uint32_t kind, ByteView payload);

// The kind of the box that begins with these bytes (at least kPrivateHeader), 0 if not one of ours.
std::uint32_t private_kind(ByteView bytes);
// The payload of a whole box; nothing when the CRC is wrong, or of a version not known here.
std::optional<ByteView> private_payload(ByteView box);
// Reads the box of this kind at `offset`, which must end at or before `limit`; `buffer` keeps it.
Result<ByteView> read_private_box(storage::File& file, std::uint64_t offset, std::uint64_t limit,
                                  std::uint32_t kind, Bytes& buffer);

Bytes encode(const Identity& identity);
Result<Identity> decode_identity(ByteView payload);

// A mark, and where in the file's time it is: the end of the media before it.
struct PlacedMark {
  Mark mark;
  std::int64_t position_ms = 0;
};
Bytes encode(const PlacedMark& mark);
Result<PlacedMark> decode_mark(ByteView payload);
inline constexpr std::size_t kMaxReason = 32;

// Of the fragment right behind the box: each tears with the other.
Bytes encode(std::span<const media::TimestampRepair> repairs);
Result<std::vector<media::TimestampRepair>> decode_repairs(ByteView payload);

// An epoch: the configuration of every track from here on. `init` is ftyp and moov of that epoch
// alone, the part of the box at init_offset(): an EXT-X-MAP points there.
struct Epoch {
  std::uint32_t index = 0;
  std::uint8_t changed = 0;  // bit k: track k is new or has changed
  std::int64_t position_ms = 0;
  TrackSetups tracks;
  Bytes init;
};
Bytes encode(const Epoch& epoch);
Result<Epoch> decode_epoch(ByteView payload);
// read_private_box() and decode_epoch().
Result<Epoch> read_epoch(storage::File& file, std::uint64_t offset, std::uint64_t limit,
                         Bytes& buffer);
// Of `init` in a box of this payload, from the box's beginning.
std::uint64_t init_offset(ByteView payload, const Epoch& epoch);

// Written in front of the final moov, so that what is at the end can be found without a walk.
struct Tail {
  std::uint64_t last_index = 0;  // offset of the last index box, 0: none
  std::uint64_t media_end = 0;   // end of the last fragment
};
inline constexpr std::size_t kTailBoxSize = kPrivateHeader + 16 + kPrivateTrailer;
Bytes encode(const Tail& tail);
Result<Tail> decode_tail(ByteView payload);

}  // namespace recording::mp4
