#include "media/key_frame.hpp"

#include <algorithm>
#include <optional>

#include "media/av1_config.hpp"

namespace recording::media {
namespace {

constexpr std::size_t kLongestSets = 16384;

// What a NAL is to us, by its type.
enum class NalRole : std::uint8_t {
  kOther,
  kSlice,
  kRandomAccess,  // a slice, too
  kSetsBehind,    // a parameter set behind which others may stand
  kSet,
  kDelimiter
};

// H.264, table 7-1
NalRole avc_role(std::uint8_t header) {
  constexpr int kSlice = 1, kPartitionA = 2, kIdr = 5, kSps = 7, kPps = 8, kDelimiter = 9,
                kSpsExtension = 13, kSubsetSps = 15;
  switch (header & 0x1F) {
    case kSlice:
    case kPartitionA:
      return NalRole::kSlice;
    case kIdr:
      return NalRole::kRandomAccess;
    case kSps:
    case kSpsExtension:
    case kSubsetSps:
      return NalRole::kSetsBehind;
    case kPps:
      return NalRole::kSet;
    case kDelimiter:
      return NalRole::kDelimiter;
    default:
      return NalRole::kOther;
  }
}

// H.265, table 7-1
NalRole hevc_role(std::uint8_t header) {
  constexpr int kFirstIrap = 16, kLastIrap = 23, kVps = 32, kPps = 34, kDelimiter = 35;
  const int type = header >> 1 & 0x3F;
  return type >= kFirstIrap && type <= kLastIrap ? NalRole::kRandomAccess
         : type >= kVps && type <= kPps          ? NalRole::kSet
         : type == kDelimiter                    ? NalRole::kDelimiter
                                                 : NalRole::kOther;
}

// Steps behind the next length. False: there is none, or it reaches past the end.
bool next_nal(PieceReader& at, std::uint8_t nal_length_size, std::uint64_t& size) {
  if (nal_length_size == 0 || nal_length_size > 4) {
    return false;
  }
  size = at.big_endian(nal_length_size);
  return at.ok() && size <= at.left();
}

// The first bytes of the next `size`.
void peek(PieceReader at, std::uint64_t size, std::array<std::uint8_t, 16>& out) {
  for (std::size_t i = 0; i < std::min<std::uint64_t>(out.size(), size); ++i) {
    out[i] = at.u8();
  }
}

// The OBU at `at`, which stays there.
std::optional<Av1Obu> obu_at(PieceReader at) {
  constexpr std::size_t kFront = 10;
  const std::uint64_t left = at.left();
  Bytes front;
  at.copy(std::min<std::uint64_t>(kFront, left), front);
  return parse_av1_obu(front, left);
}

}  // namespace

AccessUnitLayout inspect_access_unit(Codec codec, Pieces sample, std::uint8_t nal_length_size) {
  AccessUnitLayout layout;
  PieceReader at(sample);
  for (bool first = true; at.left() > 0;) {
    std::uint64_t size = 0;
    if (!next_nal(at, nal_length_size, size)) {
      layout.well_formed = false;
      return layout;
    }
    if (size == 0) {  // a length without a NAL: some encoders pad with it
      continue;
    }
    const std::uint8_t header = PieceReader(at).u8();
    const NalRole role = codec == Codec::kHevc ? hevc_role(header) : avc_role(header);
    switch (role) {
      case NalRole::kRandomAccess:
        layout.random_access = true;
        [[fallthrough]];
      case NalRole::kSlice:
        if (layout.slice[0] == 0) {
          peek(at, size, layout.slice);
        }
        break;
      case NalRole::kSetsBehind:
        layout.sets_at = at.position() + size;
        [[fallthrough]];
      case NalRole::kSet:
        if (layout.sets.size() + size > kLongestSets) {
          layout.well_formed = false;
          return layout;
        }
        put_u32(layout.sets, static_cast<std::uint32_t>(size));
        PieceReader(at).copy(size, layout.sets);
        break;
      case NalRole::kDelimiter:
        // H.264, 7.4.1.2.3 and H.265, 7.4.2.4.4: it is the first NAL of its access unit
        if (first) {
          layout.sets_at = at.position() + size;
        }
        break;
      case NalRole::kOther:
        break;
    }
    first = false;
    at.skip(size);
  }
  return layout;
}

TemporalUnitLayout inspect_temporal_unit(Pieces sample) {
  TemporalUnitLayout layout;
  PieceReader at(sample);
  for (bool first = true; at.left() > 0; first = false) {
    const auto obu = obu_at(at);
    if (!obu) {
      layout.well_formed = false;
      return layout;
    }
    const std::size_t size = obu->header_size + obu->payload_size;
    if (obu->type == kAv1SequenceHeader && layout.sequence_header.empty() && size <= kLongestSets) {
      PieceReader(at).copy(size, layout.sequence_header);
    }
    at.skip(size);
    if (first && obu->type == kAv1TemporalDelimiter) {  // 7.5: the first OBU of its unit
      layout.sets_at = at.position();
    }
  }
  return layout;
}

Bytes widen_nal_lengths(Pieces sample, std::uint8_t nal_length_size) {
  Bytes out;
  PieceReader at(sample);
  out.reserve(at.left() + 64);
  while (at.left() > 0) {
    std::uint64_t size = 0;
    if (!next_nal(at, nal_length_size, size)) {
      return {};
    }
    put_u32(out, static_cast<std::uint32_t>(size));
    at.copy(size, out);
  }
  return out;
}

}  // namespace recording::media
