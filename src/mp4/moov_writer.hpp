#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "mp4/index_walk.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// Writes the moov of a finished file at `offset`, in two passes over the indexes: one that counts,
// so that every table has its place, and one that fills all tables at once through small buffers.
// Memory does not depend on the length of the recording. Returns the size of moov.
struct MoovRequest {
  storage::File& file;
  const IndexWalk& walk;
  ByteView newest_index;  // payload of the index that is still in memory
  PerTrack<std::uint32_t> timescales{};
  std::int64_t created_wall_ms = 0;
  std::uint64_t notes_limit = 0;  // where epoch boxes end at the latest
  std::uint64_t offset = 0;
};
Result<std::uint64_t> write_moov(const MoovRequest& request);

// FFmpeg refuses a track with more than 1024 sample entries; epochs beyond this many use the last
// one, and the parameter sets in the samples.
inline constexpr std::uint32_t kMaxSampleEntries = 1000;

}  // namespace recording::mp4
