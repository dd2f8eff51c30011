#include "transcode/matroska_writer.hpp"

#include <bit>
#include <cmath>
#include <string_view>

namespace recording::transcode {
namespace {

using media::Codec;
using media::TrackConfig;
using media::TrackKind;

// RFC 9559, 5.1; RFC 8794, 11.2.
enum Id : std::uint32_t {
  kEbml = 0x1A45DFA3,
  kEbmlVersion = 0x4286,
  kEbmlReadVersion = 0x42F7,
  kEbmlMaxIdLength = 0x42F2,
  kEbmlMaxSizeLength = 0x42F3,
  kDocType = 0x4282,
  kDocTypeVersion = 0x4287,
  kDocTypeReadVersion = 0x4285,
  kSegment = 0x18538067,
  kInfo = 0x1549A966,
  kTimestampScale = 0x2AD7B1,
  kMuxingApp = 0x4D80,
  kWritingApp = 0x5741,
  kTracks = 0x1654AE6B,
  kTrackEntry = 0xAE,
  kTrackNumber = 0xD7,
  kTrackUid = 0x73C5,
  kTrackType = 0x83,
  kFlagLacing = 0x9C,
  kCodecId = 0x86,
  kCodecPrivate = 0x63A2,
  kDefaultDuration = 0x23E383,
  kVideo = 0xE0,
  kPixelWidth = 0xB0,
  kPixelHeight = 0xBA,
  kAudio = 0xE1,
  kSamplingFrequency = 0xB5,
  kChannels = 0x9F,
  kCluster = 0x1F43B675,
  kTimestamp = 0xE7,
  kSimpleBlock = 0xA3
};

void put_id(Bytes& out, std::uint32_t id) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (id >> shift != 0) {
      put_u8(out, static_cast<std::uint8_t>(id >> shift));
    }
  }
}

// In four bytes: 28 bits, which is more than any message has.
void put_size(Bytes& out, std::size_t size) {
  put_u32(out, 0x10000000U | static_cast<std::uint32_t>(size));
}

void put_element(Bytes& out, std::uint32_t id, ByteView body) {
  put_id(out, id);
  put_size(out, body.size());
  put_bytes(out, body);
}

void put_number(Bytes& out, std::uint32_t id, std::uint64_t value) {
  Bytes body;
  put_u64(body, value);
  put_element(out, id, body);
}

void put_text(Bytes& out, std::uint32_t id, std::string_view text) {
  put_element(out, id, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::string_view codec_id(Codec codec) {
  switch (codec) {
    case Codec::kAvc:
      return "V_MPEG4/ISO/AVC";
    case Codec::kHevc:
      return "V_MPEGH/ISO/HEVC";
    case Codec::kAv1:
      return "V_AV1";
    case Codec::kVp9:
      return "V_VP9";
    case Codec::kAac:
      return "A_AAC";
    case Codec::kMp3:
      return "A_MPEG/L3";
    case Codec::kOpus:
      return "A_OPUS";
    case Codec::kAc3:
      return "A_AC3";
    case Codec::kEac3:
      return "A_EAC3";
    case Codec::kFlac:
      return "A_FLAC";
    case Codec::kNone:
      break;
  }
  return "";
}

void put_reversed(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.rbegin(), bytes.rend());
}

// The OpusHead of Ogg (RFC 7845, 5.1) says what dOps does, the other way round.
Bytes opus_head(ByteView dops) {
  constexpr std::size_t kFixed = 11;
  Bytes head = {'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1};
  if (dops.size() < kFixed) {
    return {};
  }
  put_u8(head, dops[1]);                      // channels
  put_reversed(head, dops.subspan(2, 2));     // samples to skip
  put_reversed(head, dops.subspan(4, 4));     // sample rate
  put_reversed(head, dops.subspan(8, 2));     // gain
  put_bytes(head, dops.subspan(kFixed - 1));  // which channel is where
  return head;
}

Bytes codec_private(const MatroskaTrack& track) {
  const TrackConfig& config = *track.config;
  switch (config.codec) {
    case Codec::kAvc:
    case Codec::kHevc:
      return {track.record.begin(), track.record.end()};
    case Codec::kAac:
    case Codec::kAv1:
      return config.record;
    case Codec::kOpus:
      return opus_head(config.record);
    case Codec::kFlac: {
      Bytes stream = {'f', 'L', 'a', 'C'};
      put_bytes(stream, config.record);
      return stream;
    }
    default:
      return {};
  }
}

Bytes track_entry(const MatroskaTrack& track, TrackKind kind, double frame_rate) {
  const bool pictures = kind == TrackKind::kVideo;
  const std::uint64_t number = static_cast<std::uint64_t>(kind) + 1;
  Bytes entry, shape;
  put_number(entry, kTrackNumber, number);
  put_number(entry, kTrackUid, number);
  put_number(entry, kTrackType, number);  // 1: video, 2: audio
  put_number(entry, kFlagLacing, 0);
  put_text(entry, kCodecId, codec_id(track.config->codec));
  if (const Bytes setup = codec_private(track); !setup.empty()) {
    put_element(entry, kCodecPrivate, setup);
  }
  if (pictures) {
    if (frame_rate > 0) {
      put_number(entry, kDefaultDuration,
                 static_cast<std::uint64_t>(std::llround(1e9 / frame_rate)));
    }
    put_number(shape, kPixelWidth, track.config->source.width);
    put_number(shape, kPixelHeight, track.config->source.height);
  } else {
    put_number(shape, kSamplingFrequency,
               std::bit_cast<std::uint64_t>(static_cast<double>(track.config->source.sample_rate)));
    put_number(shape, kChannels, track.config->source.channels);
  }
  put_element(entry, pictures ? kVideo : kAudio, shape);
  return entry;
}

}  // namespace

void put_matroska_header(Bytes& out, const std::array<MatroskaTrack, media::kTrackKinds>& tracks,
                         double frame_rate) {
  Bytes head, info, entries;
  put_number(head, kEbmlVersion, 1);
  put_number(head, kEbmlReadVersion, 1);
  put_number(head, kEbmlMaxIdLength, 4);
  put_number(head, kEbmlMaxSizeLength, 8);
  put_text(head, kDocType, "matroska");
  put_number(head, kDocTypeVersion, 4);
  put_number(head, kDocTypeReadVersion, 2);
  put_element(out, kEbml, head);
  put_id(out, kSegment);
  put_u64(out, 0x01FFFFFFFFFFFFFF);            // it ends when it ends
  put_number(info, kTimestampScale, 1000000);  // ns
  put_text(info, kMuxingApp, "nginx-recording");
  put_text(info, kWritingApp, "nginx-recording");
  put_element(out, kInfo, info);
  for (const TrackKind kind : {TrackKind::kVideo, TrackKind::kAudio}) {
    const MatroskaTrack& track = tracks[static_cast<std::size_t>(kind)];
    if (track.config != nullptr) {
      put_element(entries, kTrackEntry, track_entry(track, kind, frame_rate));
    }
  }
  put_element(out, kTracks, entries);
}

// A cluster of one block: they may follow in any order of time, and be left out.
void put_block_header(Bytes& out, TrackKind kind, std::int64_t shown_ms, bool key,
                      std::size_t size) {
  constexpr std::size_t kTimestampSize = 1 + 4 + 8, kBlockId = 1 + 4, kBlockHead = 4;
  put_id(out, kCluster);
  put_size(out, kTimestampSize + kBlockId + kBlockHead + size);
  put_number(out, kTimestamp, static_cast<std::uint64_t>(shown_ms));
  put_id(out, kSimpleBlock);
  put_size(out, kBlockHead + size);
  put_u8(out, static_cast<std::uint8_t>(0x81 + static_cast<int>(kind)));  // the track's number
  put_u16(out, 0);                                                        // ms behind the cluster's
  put_u8(out, key ? 0x80 : 0);
}

}  // namespace recording::transcode
