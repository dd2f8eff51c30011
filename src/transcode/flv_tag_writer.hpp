#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "media/flv_tag.hpp"

// The bytes of an FLV file (Adobe FLV 10.1, annex E), appended.
namespace recording::transcode {

// What a file has, and says of itself in front of its media; 0: it does not say.
struct FlvTracks {
  bool video = false, audio = false;
  std::int64_t video_bps = 0, audio_bps = 0;
  double frame_rate = 0;
};

// E.2 and the first PreviousTagSize, then onMetaData.
void put_file_header(Bytes& out, const FlvTracks& tracks);

// E.4.1: what stands in front of a tag's body of that size, and behind it.
inline constexpr std::size_t kTagHeaderSize = 11, kTagSizeSize = 4;
void put_tag_header(Bytes& out, media::TrackKind kind, std::int64_t ms, std::size_t body);
void put_tag_size(Bytes& out, std::size_t body);

// What ffmpeg's reader of FLV knows, before its version 6.1.
bool flv_has(media::Codec codec);

// What stands in front of a sample's payload, or of a configuration: at most so many bytes. H.264,
// AAC and MP3, however they were signalled.
inline constexpr std::size_t kMostMediaHeader = 5;
void put_media_header(Bytes& out, const media::TagHeader& tag, bool configuration);

}  // namespace recording::transcode
