#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "mp4/index_walk.hpp"
#include "mp4/moov_plan.hpp"
#include "mp4/selection.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// What a moov is made of. It takes two passes over the indexes: one that counts, so that every
// table has its place, and one that fills all tables at once through small buffers. Memory does not
// depend on the length of the recording.
struct MoovRequest {
  storage::File& file;  // has the epoch boxes
  IndexWalk& walk;
  Selection selection = {};
};

// The first pass.
struct MoovTally {
  TrackTallies tracks;  // those that have samples; when none has, all
  // Where in the file the bytes of the samples are; equal: there are no samples.
  std::uint64_t media_begin = 0, media_end = 0;
};
Result<MoovTally> count_moov(const MoovRequest& request);

// The second pass: writes what was planned to `at` of `into`. `shift` is added to the offsets of
// the media (modulo 2^64).
Status write_moov(const MoovRequest& request, const MoovPlan& plan, storage::File& into,
                  std::uint64_t at, std::uint64_t shift);

// FFmpeg refuses a track with more than 1024 sample entries; epochs beyond this many use the last
// one, and the parameter sets in the samples.
inline constexpr std::uint32_t kMaxSampleEntries = 1000;

}  // namespace recording::mp4
