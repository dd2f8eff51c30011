#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/parameter_list.hpp"
#include "media/timestamp_repair.hpp"
#include "mp4/committed.hpp"
#include "storage/file.hpp"

namespace recording::recorder {

// What a recording's file says of its own course: the one place where marks and epochs become what
// people are told. Positions are in the recording's time, wall-clock times in ms since 1970, UTC.
struct Timeline {
  // A stretch in which no configuration changes; empty tracks have no samples yet.
  struct Epoch {
    std::uint32_t index = 0;
    std::int64_t start_ms = 0, end_ms = 0;
    std::optional<media::Parameters> video, audio;
    double frame_rate_measured = 0;  // of its pictures; 0: there are none
  };
  // A parameter of a track that was there before. A track that appears is none.
  struct Change {
    std::int64_t at_ms = 0;
    std::string field;  // "video.width"
    media::ParameterValue from, to;
  };
  // No media came, or what came could not be saved.
  struct Interruption {
    std::int64_t at_ms = 0;                             // the end of the media before
    std::int64_t began_wall_ms = 0, ended_wall_ms = 0;  // 0: not known
    std::int64_t lost_ms = 0;
    std::string reason;  // a word of docs/file-format.md; empty: not known
  };
  // Media without an interruption.
  struct Stretch {
    std::int64_t start_ms = 0, end_ms = 0;
    std::int64_t started_wall_ms = 0;  // 0: not noted, as of the first one
  };

  static constexpr std::size_t kMostRepairs = 1000;

  std::int64_t duration_ms = 0;
  std::vector<Epoch> epochs;
  std::vector<Change> changes;
  std::vector<Interruption> interruptions;
  // Timestamps of the encoder that were not followed. Behind kMostRepairs each kind of a track has
  // one more at most: counted, the last one tells of all that came after it.
  std::vector<media::TimestampRepair> timestamp_repairs;
  std::vector<Stretch> stretches;

  // Processing may take the whole for one kind of material.
  [[nodiscard]] bool uniform() const { return changes.empty(); }
};

// Of a finished, growing or interrupted file. `committed`: what is whole of it, should it not be
// finished. kNotFound: nothing is saved yet. Pool threads.
Result<Timeline> read_timeline(storage::File& file, const mp4::Committed& committed);

}  // namespace recording::recorder
