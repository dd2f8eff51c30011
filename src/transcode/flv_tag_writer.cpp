#include "transcode/flv_tag_writer.hpp"

#include <bit>
#include <iterator>
#include <string_view>
#include <utility>

namespace recording::transcode {
namespace {

using media::Codec;
using media::TrackKind;

// E.4.1: TagType
constexpr std::uint8_t kAudioTag = 8, kVideoTag = 9, kScriptTag = 18;

void put_amf_name(Bytes& out, std::string_view name) {
  put_u16(out, static_cast<std::uint16_t>(name.size()));
  out.insert(out.end(), name.begin(), name.end());
}

void put_header(Bytes& out, std::uint8_t type, std::int64_t ms, std::size_t body) {
  put_u8(out, type);
  put_u24(out, static_cast<std::uint32_t>(body));
  put_u24(out, static_cast<std::uint32_t>(ms) & 0xFFFFFF);
  put_u8(out, static_cast<std::uint8_t>(ms >> 24));  // TimestampExtended
  put_u24(out, 0);                                   // StreamID
}

// E.5, in AMF0. A copied track has no other place to say its bit rate in, and an MPD without one is
// invalid.
void put_metadata(Bytes& out, const FlvTracks& tracks) {
  const std::pair<std::string_view, double> values[] = {
      {"videodatarate", static_cast<double>(tracks.video_bps) / 1024},  // as FFmpeg counts kilobits
      {"audiodatarate", static_cast<double>(tracks.audio_bps) / 1024},
      {"framerate", tracks.frame_rate}};
  Bytes body;
  put_u8(body, 2);  // a string
  put_amf_name(body, "onMetaData");
  put_u8(body, 8);  // an array by names
  put_u32(body, static_cast<std::uint32_t>(std::size(values)));
  for (const auto& [name, value] : values) {
    put_amf_name(body, name);
    put_u8(body, 0);  // a number
    put_u64(body, std::bit_cast<std::uint64_t>(value));
  }
  put_u24(body, 9);  // its end
  put_header(out, kScriptTag, 0, body.size());
  put_bytes(out, body);
  put_tag_size(out, body.size());
}

}  // namespace

bool flv_has(Codec codec) {
  return codec == Codec::kAvc || codec == Codec::kAac || codec == Codec::kMp3;
}

void put_file_header(Bytes& out, const FlvTracks& tracks) {
  const Bytes header = {
      'F', 'L', 'V', 1, static_cast<std::uint8_t>((tracks.audio ? 4 : 0) | tracks.video),
      0,   0,   0,   9, 0,
      0,   0,   0};
  put_bytes(out, header);
  put_metadata(out, tracks);
}

void put_tag_header(Bytes& out, TrackKind kind, std::int64_t ms, std::size_t body) {
  put_header(out, kind == TrackKind::kVideo ? kVideoTag : kAudioTag, ms, body);
}

void put_tag_size(Bytes& out, std::size_t body) {
  put_u32(out, static_cast<std::uint32_t>(kTagHeaderSize + body));
}

// E.4.3.1: FrameType and CodecID, AVCPacketType, CompositionTime; and E.4.2.1: SoundFormat with
// rate, size and channels (which AAC fixes, and MP3 says in each frame), AACPacketType.
void put_media_header(Bytes& out, const media::TagHeader& tag, bool configuration) {
  const std::uint8_t packet_type = configuration ? 0 : 1;
  switch (tag.codec) {
    case Codec::kAvc:
      put_u8(out, tag.key || configuration ? 0x17 : 0x27);
      put_u8(out, packet_type);
      put_u24(out, configuration ? 0 : static_cast<std::uint32_t>(tag.cts_ms) & 0xFFFFFF);
      break;
    case Codec::kAac:
      put_u8(out, 0xAF);
      put_u8(out, packet_type);
      break;
    default:
      put_u8(out, 0x2F);
      break;
  }
}

}  // namespace recording::transcode
