#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "mp4/file_state.hpp"
#include "mp4/sample.hpp"

namespace recording::mp4 {

// What one append() does to a file, after everything about it was checked.
struct AppendPlan {
  // At a seam: the first packet of sound, in a fragment of its own in front. Where the times of a
  // track jump, browsers drop the pictures that follow up to a key frame (W3C Media Source
  // Extensions, 3.5.8, "need random access point flag" of all tracks). The sound jumps by itself,
  // by what it was shorter than the pictures before; found behind the key frame, that would cost
  // the whole group.
  std::optional<RunView> ahead;
  std::vector<iovec> ahead_pieces;
  std::vector<RunView> runs;  // those with samples, video first
  std::vector<iovec> pieces;  // of their samples, in the same order
  std::uint64_t media_bytes = 0;
  std::optional<std::int64_t> begin_ms;  // of its first sample; nothing: it has none
  TrackSetups current;                   // of every track, from this fragment on
  TrackSetups head;                      // as the head must have them
  std::uint8_t changed = 0;              // bit k: track k is new or has changed, an epoch begins
  bool new_tracks = false;               // one is not in the head yet

  static Result<AppendPlan> make(const FileState& state, const Fragment& fragment);

 private:
  void put_sound_ahead(std::size_t picture_pieces);
};

}  // namespace recording::mp4
