#include "media/flv_tag.hpp"

#include <limits>

namespace recording::media {
namespace {

// E.4.3.1: FrameType and CodecID
constexpr int kKeyFrame = 1;
constexpr int kInfoFrame = 5;
constexpr std::uint8_t kCodecAvc = 7;
// Enhanced RTMP: bit 7 of a video header says that a FourCC takes the place of CodecID, and
// SoundFormat 9, reserved before, says so of audio.
constexpr std::uint8_t kIsExHeader = 0x80;
constexpr std::uint8_t kAudioExHeader = 9;
// E.4.2.1: SoundFormat
constexpr std::uint8_t kSoundMp3 = 2;
constexpr std::uint8_t kSoundAac = 10;
constexpr std::uint8_t kSoundMp3At8kHz = 14;

// AVCPacketType (E.4.3.1) and AACPacketType (E.4.2.1) agree as far as the latter goes.
enum PacketType : std::uint8_t { kSequenceHeader = 0, kCodedData = 1, kEndOfSequence = 2 };

constexpr std::uint32_t fourcc(const char (&text)[5]) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<std::uint8_t>(text[i]);
  }
  return value;
}

Codec codec_of(std::uint32_t code, TrackKind kind) {
  struct Known {
    std::uint32_t code;
    Codec codec;
  };
  static constexpr Known kKnown[] = {
      // VideoFourCc and AudioFourCc
      {fourcc("avc1"), Codec::kAvc},  {fourcc("hvc1"), Codec::kHevc},
      {fourcc("av01"), Codec::kAv1},  {fourcc("vp09"), Codec::kVp9},
      {fourcc("mp4a"), Codec::kAac},  {fourcc(".mp3"), Codec::kMp3},
      {fourcc("Opus"), Codec::kOpus}, {fourcc("ac-3"), Codec::kAc3},
      {fourcc("ec-3"), Codec::kEac3}, {fourcc("fLaC"), Codec::kFlac}};
  for (const Known& known : kKnown) {
    if (known.code == code && kind_of(known.codec) == kind) {
      return known.codec;
    }
  }
  return Codec::kNone;
}

// Only these have pictures that are shown in another order than they are sent in.
bool has_composition_time(Codec codec) { return codec == Codec::kAvc || codec == Codec::kHevc; }

std::int32_t signed24(std::uint32_t value) {
  constexpr std::int32_t kSign = 0x800000;
  return (static_cast<std::int32_t>(value) ^ kSign) - kSign;
}

TagHeader with_payload(TagHeader tag, TagKind kind, const PieceReader& in, std::uint64_t end) {
  tag.header_size = static_cast<std::uint32_t>(in.position());
  tag.payload_size = static_cast<std::uint32_t>(end - in.position());
  // An empty Opus header stands for the usual one.
  const bool may_be_empty = kind == TagKind::kSequenceHeader && tag.codec == Codec::kOpus;
  tag.kind = tag.payload_size > 0 || may_be_empty ? kind : TagKind::kEmpty;
  return tag;
}

// What follows the first byte of an extended header.
class ExtendedTag {
 public:
  ExtendedTag(TagHeader tag, TrackKind kind, PieceReader& in)
      : tag_(tag), kind_(kind), in_(in), end_(in.position() + in.left()) {}

  TagHeader parse(std::uint8_t packet_type, bool info_frame) {
    packet_type = take_modifiers(packet_type);
    if (!in_.ok()) {
      return tag_;
    }
    if (info_frame && packet_type != kMetadata) {
      tag_.kind = TagKind::kEndOfSequence;
      return tag_;
    }
    const std::uint8_t multitrack = kind_ == TrackKind::kVideo ? 6 : 5;
    if (packet_type == multitrack) {
      return take_tracks();
    }
    const std::uint32_t code = in_.u32();
    return in_.ok() ? take_packet(packet_type, code, end_) : tag_;
  }

 private:
  // VideoPacketType, of which AudioPacketType has some, and others for itself
  static constexpr std::uint8_t kCodedFramesX = 3;        // video only
  static constexpr std::uint8_t kMetadata = 4;            // video
  static constexpr std::uint8_t kMultichannelConfig = 4;  // audio
  static constexpr std::uint8_t kModEx = 7;
  // AvMultitrackType
  static constexpr std::uint8_t kOneTrack = 0;
  static constexpr std::uint8_t kManyTracksManyCodecs = 2;

  // ModEx packets: the type of the one that they modify.
  std::uint8_t take_modifiers(std::uint8_t packet_type) {
    constexpr std::uint8_t kTimestampOffsetNano = 0;
    while (packet_type == kModEx && in_.ok()) {
      std::uint64_t size = in_.u8() + 1U;
      if (size == 256) {
        size = in_.big_endian(2) + 1;
      }
      const std::uint32_t offset = size >= 3 ? in_.u24() : 0;
      in_.skip(size >= 3 ? size - 3 : size);
      const std::uint8_t types = in_.u8();
      if (types >> 4 == kTimestampOffsetNano && offset < 1000000) {
        tag_.nanoseconds = offset;
      }
      packet_type = types & 0x0F;
    }
    return packet_type;
  }

  TagHeader take_tracks() {
    const std::uint8_t types = in_.u8();
    const std::uint8_t order = types >> 4;
    const std::uint8_t packet_type = types & 0x0F;
    std::uint32_t code = order != kManyTracksManyCodecs ? in_.u32() : 0;
    if (in_.ok() && order > kManyTracksManyCodecs) {
      tag_.packet_type = packet_type;
      tag_.kind = TagKind::kUnknownPacket;
      return tag_;
    }
    TagHeader found = tag_;
    found.kind = TagKind::kOtherTracks;
    std::uint16_t others = 0;
    while (in_.ok() && in_.left() > 0) {
      code = order == kManyTracksManyCodecs ? in_.u32() : code;
      const std::uint8_t track = in_.u8();
      const std::uint64_t size = order == kOneTrack ? in_.left() : in_.u24();
      if (!in_.ok() || size > in_.left()) {
        break;  // whatever was whole before it counts
      }
      const std::uint64_t next = in_.position() + size;
      if (track == 0 && found.kind == TagKind::kOtherTracks) {
        found = take_packet(packet_type, code, next);
      } else if (others < std::numeric_limits<std::uint16_t>::max()) {
        ++others;
      }
      in_.skip(next - in_.position());
    }
    if (found.kind == TagKind::kOtherTracks && others == 0) {
      return tag_;
    }
    found.other_tracks = others;
    return found;
  }

  TagHeader take_packet(std::uint8_t packet_type, std::uint32_t code, std::uint64_t end) {
    TagHeader tag = tag_;
    tag.packet_type = packet_type;
    tag.codec_id = code;
    const bool video = kind_ == TrackKind::kVideo;
    if (video && packet_type == kMetadata) {
      tag.kind = TagKind::kMetadata;
      return tag;
    }
    if (packet_type > (video ? kCodedFramesX : kMultichannelConfig) ||
        (!video && packet_type == kCodedFramesX)) {
      tag.kind = TagKind::kUnknownPacket;
      return tag;
    }
    tag.codec = codec_of(code, kind_);
    if (tag.codec == Codec::kNone) {
      tag.kind = TagKind::kUnsupported;
      return tag;
    }
    switch (packet_type) {
      case kSequenceHeader:
        return with_payload(tag, TagKind::kSequenceHeader, in_, end);
      case kEndOfSequence:
        tag.kind = TagKind::kEndOfSequence;
        return tag;
      case kMultichannelConfig:
        return with_payload(tag, TagKind::kMultichannelConfig, in_, end);
      default:
        break;
    }
    if (packet_type == kCodedData && has_composition_time(tag.codec)) {
      if (end - in_.position() < 3) {
        return tag_;
      }
      tag.cts_ms = signed24(in_.u24());
    }
    return with_payload(tag, TagKind::kSample, in_, end);
  }

  TagHeader tag_;
  TrackKind kind_;
  PieceReader& in_;
  std::uint64_t end_;
};

}  // namespace

TagHeader parse_video_tag(Pieces message) {
  TagHeader tag;
  PieceReader in(message);
  const std::uint64_t size = in.left();
  if (size == 0) {
    tag.kind = TagKind::kEmpty;
    return tag;
  }
  const std::uint8_t first = in.u8();
  const int frame_type = first >> 4 & 7;
  tag.key = frame_type == kKeyFrame;
  if ((first & kIsExHeader) != 0) {
    return ExtendedTag(tag, TrackKind::kVideo, in).parse(first & 0x0F, frame_type == kInfoFrame);
  }
  tag.codec_id = first & 0x0F;
  if (frame_type == kInfoFrame) {
    tag.kind = TagKind::kEndOfSequence;
    return tag;
  }
  if (tag.codec_id != kCodecAvc) {
    tag.kind = TagKind::kUnsupported;
    return tag;
  }
  tag.codec = Codec::kAvc;
  const std::uint8_t type = in.u8();
  if (in.ok() && type == kEndOfSequence) {  // often sent without CompositionTime
    tag.kind = TagKind::kEndOfSequence;
    return tag;
  }
  const std::int32_t cts_ms = signed24(in.u24());
  if (!in.ok() || type > kEndOfSequence) {
    return tag;
  }
  if (type == kSequenceHeader) {
    return with_payload(tag, TagKind::kSequenceHeader, in, size);
  }
  tag.cts_ms = cts_ms;
  return with_payload(tag, TagKind::kSample, in, size);
}

TagHeader parse_audio_tag(Pieces message) {
  TagHeader tag;
  tag.key = true;
  PieceReader in(message);
  const std::uint64_t size = in.left();
  if (size == 0) {
    tag.kind = TagKind::kEmpty;
    return tag;
  }
  const std::uint8_t first = in.u8();
  tag.codec_id = first >> 4;
  switch (tag.codec_id) {
    case kAudioExHeader:
      return ExtendedTag(tag, TrackKind::kAudio, in).parse(first & 0x0F, false);
    case kSoundMp3:
    case kSoundMp3At8kHz:
      tag.codec = Codec::kMp3;
      return with_payload(tag, TagKind::kSample, in, size);
    case kSoundAac:
      break;
    default:
      tag.kind = TagKind::kUnsupported;
      return tag;
  }
  tag.codec = Codec::kAac;
  const std::uint8_t type = in.u8();
  if (!in.ok() || type > kCodedData) {
    return tag;
  }
  return with_payload(tag, type == kCodedData ? TagKind::kSample : TagKind::kSequenceHeader, in,
                      size);
}

std::string fourcc_text(std::uint32_t code) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const char c = static_cast<char>(code >> shift & 0xFF);
    text.push_back(c > 0x20 && c < 0x7F ? c : '?');
  }
  return text;
}

std::uint8_t multichannel_count(Pieces payload) {
  PieceReader in(payload);
  in.skip(1);  // audioChannelOrder
  return in.u8();
}

}  // namespace recording::media
