#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "media/track_config.hpp"

// The bytes of a live Matroska file (RFC 9559), appended: for codecs that FLV has no number for.
namespace recording::transcode {

// A track of the file; `config` nullptr: there is none of this kind.
struct MatroskaTrack {
  const media::TrackConfig* config = nullptr;
  ByteView record;  // of H.264 and HEVC: as the encoder sent it, which is how its samples are
};

// The file's header and its tracks, by media::TrackKind. `frame_rate` 0: not said.
void put_matroska_header(Bytes& out, const std::array<MatroskaTrack, media::kTrackKinds>& tracks,
                         double frame_rate);

// What stands in front of a sample's bytes: at most so many. `shown_ms`: not negative.
inline constexpr std::size_t kMostBlockHeader = 32;
void put_block_header(Bytes& out, media::TrackKind kind, std::int64_t shown_ms, bool key,
                      std::size_t size);

}  // namespace recording::transcode
