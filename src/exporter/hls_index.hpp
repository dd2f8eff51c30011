#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "mp4/committed.hpp"
#include "storage/file.hpp"

namespace recording::exporter {

// What HLS can play of one of our files: its fragments, joined to segments. A segment begins with a
// key frame and is over with the first one after 4 s; where none comes in time it ends with the
// fragment before it would last more than kHlsTargetSeconds. So it is a function of the media in
// front of it alone: a growing file's list only grows.
//
// Times in microseconds of what is played: what is missing in the file's time between two segments
// (lost media, recording_gap keep) takes no time there.
inline constexpr std::int64_t kHlsTargetSeconds = 10;

struct HlsSegment {
  std::uint64_t offset = 0, size = 0;  // in the file
  std::int64_t duration_us = 0;
  std::int64_t wall_ms = 0;  // of its beginning, since 1970; 0: not known
  std::uint32_t map = 0;     // of HlsIndex::maps
  bool discontinuity = false;
  bool begins_with_key = true;
};

// ftyp and moov of an epoch, in the file.
struct HlsMap {
  std::uint64_t offset = 0, size = 0;
};

struct HlsInterruption {
  std::int64_t at_us = 0;
  std::int64_t began_wall_ms = 0, ended_wall_ms = 0;  // 0: not known
  std::int64_t lost_ms = 0;
  std::string reason;
};

struct HlsIndex {
  bool finished = false;
  std::vector<HlsMap> maps;
  std::vector<HlsSegment> segments;
  std::vector<HlsInterruption> interruptions;
  std::int64_t duration_us = 0;         // of all segments
  std::vector<std::string> codecs;      // RFC 6381, each once, pictures first
  std::uint32_t width = 0, height = 0;  // of the largest picture; 0: there are none
  double frame_rate = 0;                // of the first pictures; 0: not known

  // Bits a second: of all, and of the worst stretch of about half the target duration.
  [[nodiscard]] double average_bps() const;
  [[nodiscard]] double most_bps() const;
};

// `committed`: of a growing file, whose last segment is left out as long as it may become longer.
// Blocks: pool threads. Errors as mp4::read_notes().
Result<HlsIndex> read_hls_index(storage::File& file, const mp4::Committed& committed);

}  // namespace recording::exporter
