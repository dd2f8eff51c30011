#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/timestamp_repair.hpp"
#include "media/track_config.hpp"

namespace recording::mp4 {

// One sample of a fragment; times in ticks of its track, on the recording's timeline (0 = its
// zero).
struct Sample {
  std::int64_t dts = 0;
  std::uint32_t cts = 0;
  std::uint32_t size = 0;  // bytes, the sum of its pieces
  bool key = false;        // sync sample (video); audio: always true
};

// The samples of one track in one fragment. `pieces` are the samples' bytes, in order; several
// pieces may make one sample.
struct Run {
  media::TrackKind kind = media::TrackKind::kVideo;
  std::span<const Sample> samples;
  std::span<const iovec> pieces;
  std::uint32_t last_duration = 0;  // of the last sample, ticks; its follower is not known yet
};

// Why a recording has a seam; stored in files: never renumber.
enum class MarkKind : std::uint8_t {
  kBegin = 0,     // a session begins to write into this recording (the first one included)
  kOverload = 1,  // samples were dropped: the disk was too slow or full for recording_buffer
};

// A seam in a recording: what recovery needs to find, in the journal, the samples that follow the
// last one in the file, and what people want to know of an interruption.
struct Mark {
  MarkKind kind = MarkKind::kBegin;
  std::uint64_t session = 0;  // the publish session that writes from here on
  std::uint64_t fence = 0;    // fencing number of the ownership that writes
  std::array<std::uint64_t, media::kTrackKinds>
      next_ordinal{};              // of each track, in that session:
                                   // the first sample after this mark has this number
  std::int64_t origin_us = 0;      // microseconds: time of the session - origin = time of the file
  std::int64_t began_wall_ms = 0;  // when the seam began (last sample), 0 at kBegin of a file
  std::int64_t ended_wall_ms = 0;  // when samples arrived again
  std::int64_t lost_ms = 0;        // media time missing here
  std::string reason;              // a word of docs/file-format.md, <= 32 bytes
};

// Who this recording is; written once, at the head of the file, so that a file found without its
// catalogue row says all that the row needs. Times in ms since 1970 UTC; durations in ms.
struct Identity {
  std::string slug, app, stream;
  std::int64_t video_id = 0, stream_id = 0;  // 0: not known yet when the file was made
  std::int64_t started_wall_ms = 0;
  std::string transaction_id;
  std::uint32_t sequence = 0;
  std::string record_type;  // "origin"
  bool automatic = false;   // auto_record began it
  std::int64_t reconnect_window_ms = 0, min_duration_ms = 0, max_duration_ms = 0;
};

// One gathered write. What is present is written in this order: configuration changes, mark,
// repairs, media.
struct Fragment {
  std::span<const Run> runs;  // at most one of each kind; may be empty (a mark alone)
  std::optional<Mark> mark;
  // Of timestamps of these samples, in the recording's time. Not without samples.
  std::span<const media::TimestampRepair> repairs;
  // Set when a track's configuration is new or differs from what the file has: a track that was not
  // in the head is added to it first, a change begins a new epoch.
  std::array<const media::TrackConfig*, media::kTrackKinds> config{};
};

}  // namespace recording::mp4
