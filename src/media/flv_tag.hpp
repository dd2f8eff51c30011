#pragma once

#include <cstdint>
#include <string>

#include "media/codec.hpp"
#include "media/pieces.hpp"

namespace recording::media {

enum class TagKind : std::uint8_t {
  kSample,              // payload is one access unit
  kSequenceHeader,      // payload is the codec's configuration record; of Opus it may be empty
  kMultichannelConfig,  // payload says of the audio channels which is where
  kEndOfSequence,       // says nothing we keep
  kMetadata,            // colour information beside the stream, which says it itself: not kept
  kEmpty,               // zero-length message, or a header without payload
  kOtherTracks,         // multitrack: none of them is track 0
  kUnknownPacket,       // Enhanced RTMP of a packet type that is not known
  kUnsupported,         // a codec that is not recorded
  kMalformed            // shorter than its own header, or of an undefined packet type
};

// The header of one RTMP audio or video message (Adobe FLV 10.1, E.4.2.1 and E.4.3.1; Enhanced
// RTMP v2, "Enhanced Audio" and "Enhanced Video"). Of several tracks only number 0 is taken.
struct TagHeader {
  TagKind kind = TagKind::kMalformed;
  Codec codec = Codec::kNone;
  std::uint32_t codec_id = 0;      // the FLV number or, beyond 255, FourCC: for messages about
                                   // unsupported ones
  std::uint8_t packet_type = 0;    // of Enhanced RTMP: for messages about unknown ones
  bool key = false;                // video: FrameType 1; audio: always true
  std::int32_t cts_ms = 0;         // video: CompositionTime, signed 24 bits
  std::uint32_t nanoseconds = 0;   // to be added to the message's timestamp: 0 to 999999
  std::uint32_t header_size = 0;   // bytes before the payload
  std::uint32_t payload_size = 0;  // what follows it is of other tracks
  std::uint16_t other_tracks = 0;  // that the message has, too
};

TagHeader parse_video_tag(Pieces message);
TagHeader parse_audio_tag(Pieces message);

// A FourCC for people: what cannot be printed is '?'.
std::string fourcc_text(std::uint32_t code);

// How many channels AudioPacketType.MultichannelConfig speaks of; 0: it cannot be read.
std::uint8_t multichannel_count(Pieces payload);

}  // namespace recording::media
