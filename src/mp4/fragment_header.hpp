#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "mp4/track_table.hpp"

namespace recording::mp4 {

// moof and the header of mdat for these runs; the bytes of the runs follow, run after run. What the
// trex of a track says is not repeated: `trex_duration` is its default_sample_duration.
void write_fragment_header(Bytes& out, std::uint32_t sequence, std::span<const RunView> runs,
                           const PerTrack<std::uint32_t>& trex_duration);

// A moof read back.
struct ParsedFragment {
  struct Run {
    media::TrackKind kind = media::TrackKind::kVideo;
    std::vector<Sample> samples;
    std::uint32_t last_duration = 0;
  };
  std::uint32_t sequence = 0;
  std::vector<Run> runs;
  std::uint64_t media_bytes = 0;

  [[nodiscard]] std::vector<RunView> views() const;
};

// `moof` is the whole box. kCorrupt for everything write_fragment_header() would not write.
Result<ParsedFragment> parse_fragment_header(ByteView moof,
                                             const PerTrack<std::uint32_t>& trex_duration);

// ISO/IEC 14496-12, 8.8.3.1: sample_depends_on and sample_is_non_sync_sample.
inline constexpr std::uint32_t kSyncFlags = 0x02000000;
inline constexpr std::uint32_t kNonSyncFlags = 0x01010000;
constexpr std::uint32_t default_flags(media::TrackKind kind) {
  return kind == media::TrackKind::kVideo ? kNonSyncFlags : kSyncFlags;
}

}  // namespace recording::mp4
