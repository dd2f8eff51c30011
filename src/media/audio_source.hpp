#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/codec.hpp"
#include "media/pieces.hpp"
#include "media/track_config.hpp"

namespace recording::media {

// What the sequence headers and the frames of the sound of one session say of it: AAC, Opus and
// FLAC have it in their header, MP3, AC-3 and E-AC-3 in every frame. Event loop only.
class AudioSource {
 public:
  // Nothing: the frames must say it. kCorrupt with a sentence: it cannot be decoded. `record` of
  // Opus may be one byte: a number of channels, for a header that was left empty.
  static Result<std::optional<TrackConfig>> describe(Codec codec, ByteView record);

  // What a frame says, where it says anything, and not the same as the one before.
  std::optional<TrackConfig> take_frame(Codec codec, Pieces frame);

 private:
  Codec codec_ = Codec::kNone;
  std::uint32_t signature_ = 0;  // of the last frame that was looked into
};

}  // namespace recording::media
