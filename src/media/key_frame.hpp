#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"

namespace recording::media {

// A message as it lies in memory: pieces in order, never copied together.
using Pieces = std::span<const iovec>;

// What an H.264 access unit of length-prefixed NALs (ISO/IEC 14496-15, 5.3.2) has of parameter
// sets, and where it wants those that it lacks, so that every key frame carries all of them
// (docs/file-format.md).
struct AccessUnitLayout {
  // False: the lengths do not add up, or it has more parameter sets than can be; then the sample is
  // stored as it came.
  bool well_formed = true;
  bool idr = false;
  std::uint64_t sets_at = 0;  // behind its last SPS, else behind a leading delimiter, else 0
  Bytes sets;                 // its own ones, each behind a 4-byte length
  // How its first slice begins, with the NAL header; zeros where there is none.
  std::array<std::uint8_t, 16> slice{};
};
AccessUnitLayout inspect_access_unit(Pieces sample, std::uint8_t nal_length_size);

// Rewrites NAL lengths of 1 or 2 bytes as 4 bytes. Empty result: the lengths do not add up.
Bytes widen_nal_lengths(Pieces sample, std::uint8_t nal_length_size);

}  // namespace recording::media
