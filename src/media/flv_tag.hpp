#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "media/codec.hpp"

namespace recording::media {

enum class TagKind : std::uint8_t {
  kSample,          // payload is one access unit
  kSequenceHeader,  // payload is the codec's configuration record
  kEndOfSequence,   // says nothing we keep
  kEmpty,           // zero-length message, or a header without payload
  kUnsupported,     // a codec that is not recorded
  kMalformed        // shorter than its own header, or of an undefined packet type
};

// The header of one RTMP audio or video message (Adobe FLV 10.1, E.4.2.1 and E.4.3.1).
struct TagHeader {
  TagKind kind = TagKind::kMalformed;
  Codec codec = Codec::kNone;
  std::uint8_t codec_id = 0;     // the FLV number, for messages about unsupported ones; 0xFF: the
                                 // extended header of Enhanced RTMP
  bool key = false;              // video: FrameType 1; audio: always true
  std::int32_t cts_ms = 0;       // video: CompositionTime, signed 24 bits
  std::uint8_t header_size = 0;  // bytes before the payload
};

// `head` holds the first bytes of the message (16 are enough), `size` its whole length.
TagHeader parse_video_tag(ByteView head, std::size_t size);
TagHeader parse_audio_tag(ByteView head, std::size_t size);

}  // namespace recording::media
