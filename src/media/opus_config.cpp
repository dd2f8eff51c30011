#include "media/opus_config.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace recording::media {
namespace {

constexpr std::string_view kMagic = "OpusHead";
constexpr std::uint32_t kRate = 48000;

Error corrupt(const char* sentence) {
  return Error{Errc::kCorrupt, std::string("Opus header: ") + sentence};
}

std::uint16_t u16_le(ByteReader& in) {
  const std::uint16_t low = in.u8();
  return static_cast<std::uint16_t>(low | in.u8() << 8);
}

TrackConfig track_of(std::uint8_t channels) {
  TrackConfig track;
  track.codec = Codec::kOpus;
  track.timescale = kRate;
  track.default_duration = kRate / 50;
  track.source.sample_rate = kRate;
  track.source.channels = channels;
  return track;
}

}  // namespace

Result<TrackConfig> parse_opus_head(ByteView head) {
  const bool magic =
      head.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), head.begin());
  ByteReader in(head.subspan(magic ? kMagic.size() : 0));
  const std::uint8_t version = in.u8();
  const std::uint8_t channels = in.u8();
  const std::uint16_t pre_skip = u16_le(in);
  const std::uint16_t rate_low = u16_le(in);
  const std::uint16_t rate_high = u16_le(in);
  const std::uint16_t gain = u16_le(in);
  const std::uint8_t family = in.u8();
  if (!in.ok()) {
    return corrupt("too short");
  }
  if (version > 15) {  // the upper four bits are the incompatible ones
    return corrupt("a version that is not known");
  }
  if (channels == 0 || (family == 0 && channels > 2)) {
    return corrupt("a number of channels that its mapping family does not have");
  }
  TrackConfig track = track_of(channels);
  put_u8(track.record, 0);  // Version
  put_u8(track.record, channels);
  put_u16(track.record, pre_skip);
  put_u32(track.record, std::uint32_t{rate_high} << 16 | rate_low);
  put_u16(track.record, gain);
  put_u8(track.record, family);
  if (family != 0) {
    const std::uint8_t streams = in.u8();
    const std::uint8_t coupled = in.u8();
    const ByteView mapping = in.bytes(channels);
    if (!in.ok()) {
      return corrupt("ends in its channel mapping");
    }
    if (streams == 0 || coupled > streams || streams + coupled > 255) {
      return corrupt("streams that there cannot be");
    }
    put_u8(track.record, streams);
    put_u8(track.record, coupled);
    put_bytes(track.record, mapping);
  }
  track.decoder_setup = track.record;
  return track;
}

Result<TrackConfig> opus_config_of(std::uint32_t channels) {
  // RFC 7845, 5.1.1.2: the layouts of Vorbis
  struct Layout {
    std::uint8_t streams, coupled;
    std::array<std::uint8_t, 8> mapping;
  };
  static constexpr std::array<Layout, 8> kLayouts{{{1, 0, {0}},
                                                   {1, 1, {0, 1}},
                                                   {2, 1, {0, 2, 1}},
                                                   {2, 2, {0, 1, 2, 3}},
                                                   {3, 2, {0, 4, 1, 2, 3}},
                                                   {4, 2, {0, 4, 1, 2, 3, 5}},
                                                   {5, 2, {0, 4, 1, 2, 3, 5, 6}},
                                                   {5, 3, {0, 6, 1, 2, 3, 4, 5, 7}}}};
  if (channels == 0 || channels > kLayouts.size()) {
    return corrupt("no layout is known for so many channels");
  }
  TrackConfig track = track_of(static_cast<std::uint8_t>(channels));
  put_u8(track.record, 0);
  put_u8(track.record, static_cast<std::uint8_t>(channels));
  put_u16(track.record, 0);  // PreSkip: not known
  put_u32(track.record, kRate);
  put_u16(track.record, 0);  // OutputGain
  put_u8(track.record, channels > 2 ? 1 : 0);
  if (channels > 2) {
    const Layout& layout = kLayouts[channels - 1];
    put_u8(track.record, layout.streams);
    put_u8(track.record, layout.coupled);
    put_bytes(track.record, ByteView(layout.mapping).first(channels));
  }
  track.decoder_setup = track.record;
  return track;
}

}  // namespace recording::media
