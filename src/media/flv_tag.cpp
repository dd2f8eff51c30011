#include "media/flv_tag.hpp"

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
constexpr std::uint8_t kEnhanced = 0xFF;
// E.4.2.1: SoundFormat
constexpr std::uint8_t kSoundMp3 = 2;
constexpr std::uint8_t kSoundAac = 10;
constexpr std::uint8_t kSoundMp3At8kHz = 14;

// AVCPacketType (E.4.3.1) and AACPacketType (E.4.2.1) agree as far as the latter goes.
enum PacketType : std::uint8_t { kSequenceHeader = 0, kCodedData = 1, kEndOfSequence = 2 };

constexpr std::uint8_t kAvcHeaderSize = 5;  // FrameType+CodecID, AVCPacketType, CompositionTime
constexpr std::uint8_t kAacHeaderSize = 2;  // SoundFormat…SoundType, AACPacketType
constexpr std::uint8_t kMp3HeaderSize = 1;

TagKind with_payload(TagKind kind, std::size_t header_size, std::size_t size) {
  return size > header_size ? kind : TagKind::kEmpty;
}

std::int32_t signed24(std::uint32_t value) {
  constexpr std::int32_t kSign = 0x800000;
  return (static_cast<std::int32_t>(value) ^ kSign) - kSign;
}

}  // namespace

TagHeader parse_video_tag(ByteView head, std::size_t size) {
  TagHeader tag;
  if (size == 0) {
    tag.kind = TagKind::kEmpty;
    return tag;
  }
  ByteReader reader(head.first(head.size() < size ? head.size() : size));
  const std::uint8_t first = reader.u8();
  if (!reader.ok()) {
    return tag;
  }
  if ((first & kIsExHeader) != 0) {
    tag.kind = TagKind::kUnsupported;
    tag.codec_id = kEnhanced;
    return tag;
  }
  tag.codec_id = first & 0x0F;
  tag.key = first >> 4 == kKeyFrame;
  if (first >> 4 == kInfoFrame) {
    tag.kind = TagKind::kEndOfSequence;
    return tag;
  }
  if (tag.codec_id != kCodecAvc) {
    tag.kind = TagKind::kUnsupported;
    return tag;
  }
  tag.codec = Codec::kAvc;
  const std::uint8_t type = reader.u8();
  if (reader.ok() && type == kEndOfSequence) {  // often sent without CompositionTime
    tag.kind = TagKind::kEndOfSequence;
    return tag;
  }
  const std::int32_t cts_ms = signed24(reader.u24());
  if (!reader.ok() || type > kEndOfSequence) {
    return tag;
  }
  tag.header_size = kAvcHeaderSize;
  if (type == kSequenceHeader) {
    tag.kind = with_payload(TagKind::kSequenceHeader, kAvcHeaderSize, size);
    return tag;
  }
  tag.kind = with_payload(TagKind::kSample, kAvcHeaderSize, size);
  tag.cts_ms = cts_ms;
  return tag;
}

TagHeader parse_audio_tag(ByteView head, std::size_t size) {
  TagHeader tag;
  tag.key = true;
  if (size == 0) {
    tag.kind = TagKind::kEmpty;
    return tag;
  }
  ByteReader reader(head.first(head.size() < size ? head.size() : size));
  const std::uint8_t first = reader.u8();
  if (!reader.ok()) {
    return tag;
  }
  tag.codec_id = first >> 4;
  switch (tag.codec_id) {
    case kSoundMp3:
    case kSoundMp3At8kHz:
      tag.codec = Codec::kMp3;
      tag.header_size = kMp3HeaderSize;
      tag.kind = with_payload(TagKind::kSample, kMp3HeaderSize, size);
      return tag;
    case kSoundAac:
      break;
    default:
      tag.codec_id = tag.codec_id == kAudioExHeader ? kEnhanced : tag.codec_id;
      tag.kind = TagKind::kUnsupported;
      return tag;
  }
  tag.codec = Codec::kAac;
  const std::uint8_t type = reader.u8();
  if (!reader.ok() || type > kCodedData) {
    return tag;
  }
  tag.header_size = kAacHeaderSize;
  tag.kind = with_payload(type == kCodedData ? TagKind::kSample : TagKind::kSequenceHeader,
                          kAacHeaderSize, size);
  return tag;
}

}  // namespace recording::media
