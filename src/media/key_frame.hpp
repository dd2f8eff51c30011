#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace recording::media {

// A message as it lies in memory: pieces in order, never copied together.
using Pieces = std::span<const iovec>;

// How an H.264 access unit of length-prefixed NALs (ISO/IEC 14496-15, 5.3.2) must be stored so that
// every IDR carries its parameter sets (docs/file-format.md). `insert_at` is where in-band sets go:
// behind a leading access unit delimiter, else at 0; -1 when nothing must be inserted (not an IDR,
// or the sample has both an SPS and a PPS). `well_formed` is false when the lengths do not add up;
// then the sample is stored as it came.
struct AccessUnitLayout {
  std::int64_t insert_at = -1;
  bool well_formed = true;
  bool idr = false;
};
AccessUnitLayout inspect_access_unit(Pieces sample, std::uint8_t nal_length_size);

// Rewrites NAL lengths of 1 or 2 bytes as 4 bytes. Empty result: the lengths do not add up.
Bytes widen_nal_lengths(Pieces sample, std::uint8_t nal_length_size);

}  // namespace recording::media
