#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "mp4/file_state.hpp"
#include "mp4/sample.hpp"

namespace recording::mp4 {

// What one append() does to a file, after everything about it was checked.
struct AppendPlan {
  std::vector<RunView> runs;  // those with samples, video first
  std::vector<iovec> pieces;  // of their samples, in the same order
  std::uint64_t media_bytes = 0;
  TrackSetups current;       // of every track, from this fragment on
  TrackSetups head;          // as the head must have them
  std::uint8_t changed = 0;  // bit k: track k is new or has changed, an epoch begins
  bool new_tracks = false;   // one is not in the head yet

  static Result<AppendPlan> make(const FileState& state, const Fragment& fragment);

  // When this fragment begins; `end_ms` when it has no samples.
  [[nodiscard]] std::int64_t position_ms(std::int64_t end_ms) const;
};

}  // namespace recording::mp4
