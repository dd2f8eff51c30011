#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "media/codec.hpp"
#include "mp4/index_walk.hpp"
#include "mp4/selection.hpp"

namespace recording::mp4 {

// A part of a recording that is a movie of its own: one epoch, or what is between two times.
struct Clip {
  std::optional<std::uint32_t> epoch;
  // In the recording's time. From the key frame at or before from_ms, which is where the movie
  // begins, up to to_ms.
  std::int64_t from_ms = 0;
  std::int64_t to_ms = kEndless;
  // Without the other track. Sound alone begins with the packet that covers from_ms.
  std::optional<media::TrackKind> only = {};

  bool operator==(const Clip&) const = default;
};

// The samples that a clip has. It begins with a key frame, and with the sound packet that covers
// its beginning; where an epoch begins between two key frames (a change of sound) the pictures
// before it that its own need come, too, but are not shown. Pictures after the end that others need
// are not shown either.
//
// kInvalidArgument "epoch_not_found: …" or "beyond_the_end: …" when there is no such part (yet).
// Reads the indexes around the clip's ends, and the fronts of the others.
Result<Selection> select_clip(storage::File& file, IndexWalk& walk, const Clip& clip);

}  // namespace recording::mp4
