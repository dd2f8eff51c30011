#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "media/codec.hpp"
#include "media/pieces.hpp"

namespace recording::media {

// What an access unit of H.264 or H.265, of length-prefixed NALs (ISO/IEC 14496-15, 5.3.2) has of
// parameter sets, and where it wants those that it lacks, so that every key frame carries all of
// them (docs/file-format.md).
struct AccessUnitLayout {
  // False: the lengths do not add up, or it has more parameter sets than can be; then the sample is
  // stored as it came.
  bool well_formed = true;
  bool random_access = false;  // H.264: IDR; H.265: IRAP
  // H.264: behind its last SPS, else behind a leading delimiter, else 0; H.265: not behind an SPS,
  // for what is inserted begins with a VPS.
  std::uint64_t sets_at = 0;
  Bytes sets;  // its own ones, each behind a 4-byte length
  // H.264: how its first slice begins, with the NAL header; zeros where there is none.
  std::array<std::uint8_t, 16> slice{};
};
AccessUnitLayout inspect_access_unit(Codec codec, Pieces sample, std::uint8_t nal_length_size);

// What a temporal unit of AV1 has of sequence headers, and where it wants one that it lacks.
struct TemporalUnitLayout {
  bool well_formed = true;
  std::uint64_t sets_at = 0;  // behind a leading temporal delimiter, else 0
  Bytes sequence_header;      // the first one, whole; empty: there is none
};
TemporalUnitLayout inspect_temporal_unit(Pieces sample);

// Rewrites NAL lengths of 1 or 2 bytes as 4 bytes. Empty result: the lengths do not add up.
Bytes widen_nal_lengths(Pieces sample, std::uint8_t nal_length_size);

}  // namespace recording::media
