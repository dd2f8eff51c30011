#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.hpp"
#include "mp4/committed.hpp"
#include "mp4/private_boxes.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// A seam of a recording; see Mark.
struct MarkNote {
  std::uint64_t offset = 0;      // of its box in the file
  std::int64_t position_ms = 0;  // in the recording's time: the end of the media before it
  Mark mark;
};

// A stretch in which no configuration changes. Media of this epoch decodes with the `init_size`
// bytes at `init_offset` of the file (an EXT-X-MAP).
struct EpochNote {
  std::uint64_t offset = 0;      // of its box; the fragments behind it are of this epoch
  std::int64_t position_ms = 0;  // of its first sample
  std::uint64_t init_offset = 0, init_size = 0;
  Epoch epoch;
};

// The samples of one track in one fragment. Times in ticks of the track.
struct RunNote {
  media::TrackKind kind = media::TrackKind::kVideo;
  std::uint32_t timescale = 0;
  std::uint64_t samples = 0;
  std::int64_t dts = 0, end_dts = 0;
  std::uint64_t offset = 0, bytes = 0;  // where they are in the file, one after the other
  bool begins_with_key = false;
};

// Timestamps that were not followed, of the runs that come next.
struct RepairNote {
  std::uint64_t offset = 0;  // of its box
  std::vector<media::TimestampRepair> repairs;
};

// Each may be empty.
struct NoteVisitor {
  std::function<void(const MarkNote&)> on_mark = {};
  std::function<void(const EpochNote&)> on_epoch = {};
  std::function<void(const RunNote&)> on_run = {};
  std::function<void(const RepairNote&)> on_repairs = {};
};

// Tells all marks, epochs, repairs and runs of a file, in order: what is noted comes before the
// media behind it. `committed`: of a file that is still recorded, whose boxes are walked behind its
// last index; a finished one is read by its indexes. Pool threads; holds one box at a time.
Status read_notes(storage::File& file, const Committed& committed, const NoteVisitor& visitor);

}  // namespace recording::mp4
