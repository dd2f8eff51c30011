#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "media/timestamp_repair.hpp"
#include "media/track_config.hpp"
#include "mp4/sample.hpp"
#include "recorder/segment_chain.hpp"

namespace recording::recorder {

using ConfigRef = std::shared_ptr<const media::TrackConfig>;

template <class T>
using PerKind = std::array<T, media::kTrackKinds>;

inline constexpr std::array kBothKinds = {media::TrackKind::kVideo, media::TrackKind::kAudio};

// A seam to be noted in the file in front of a batch. The writer adds where the timeline goes on.
struct Seam {
  mp4::MarkKind kind = mp4::MarkKind::kBegin;
  std::uint64_t session = 0, fence = 0;
  std::int64_t began_wall_ms = 0, ended_wall_ms = 0;  // began 0: nothing was interrupted
  std::int64_t lost_ms = 0;
  std::int64_t keep_gap_ms = 0;  // of the interruption, to be left in the timeline
  std::string reason;
};

// The samples that become one fragment: how many, and where in the journal they are. Made and
// destroyed on the event loop, read by a pool thread between.
struct Batch {
  // What every message touches comes first.
  PerKind<std::uint32_t> count{};    // samples of each kind
  PerKind<std::int64_t> last_dts{};  // of each kind, ticks of the session
  PerKind<ConfigRef> config;
  std::int64_t first_ms = 0, last_ms = 0;  // session times of its first and last sample
  std::uint64_t bytes = 0;

  std::int64_t arrived_ms = 0;  // monotonic, of its first sample
  PerKind<std::uint32_t> last_duration{};
  PerKind<std::uint64_t> first_ordinal{};
  std::vector<RecordRange> records;  // once cut; others than samples lie there too
  std::optional<Seam> seam;
  std::vector<media::TimestampRepair> repairs;  // session time; see note_repair()
  bool begins_with_key = false;

  [[nodiscard]] bool empty() const { return count[0] == 0 && count[1] == 0; }
};

// The samples of a batch, read from the journal: times in ticks of the session. The bytes stay
// there. Any thread, while the batch lives.
struct BatchSamples {
  explicit BatchSamples(const Batch& batch);
  PerKind<std::vector<mp4::Sample>> samples;
  PerKind<std::vector<iovec>> pieces;  // of all samples of a kind, in order
};

}  // namespace recording::recorder
