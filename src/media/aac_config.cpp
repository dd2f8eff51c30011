#include "media/aac_config.hpp"

#include <array>
#include <string>
#include <utility>

#include "media/bit_reader.hpp"

namespace recording::media {
namespace {

// ISO/IEC 14496-3, table 1.17
enum AudioObjectType : std::uint32_t {
  kSbr = 5,
  kScalable = 6,
  kErLc = 17,
  kErScalable = 20,
  kErBsac = 22,
  kErLd = 23,
  kPs = 29,
  kEscape = 31,
  kErEld = 39,
};

constexpr std::uint32_t kMaxRate = 192000;

Error corrupt(std::string sentence) {
  return Error{Errc::kCorrupt, "AAC configuration: " + std::move(sentence)};
}

// 1.6.2.1 GetAudioObjectType()
std::uint32_t read_object_type(BitReader& in) {
  const std::uint32_t type = in.bits(5);
  return type == kEscape ? 32 + in.bits(6) : type;
}

// 1.6.3.4 and table 1.18; 0: reserved
std::uint32_t read_sample_rate(BitReader& in) {
  static constexpr std::array<std::uint32_t, 13> kRates{
      96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350};
  const std::uint32_t index = in.bits(4);
  if (index == 15) {
    return in.bits(24);
  }
  return index < kRates.size() ? kRates[index] : 0;
}

// 1.6.3.5 and table 1.19; 0: see the program config element, or reserved
std::uint16_t channels_of(std::uint32_t configuration) {
  static constexpr std::array<std::uint16_t, 16> kChannels{0, 1, 2, 3, 4, 5,  6, 8,
                                                           0, 0, 0, 7, 8, 24, 8, 0};
  return kChannels[configuration];
}

// 4.4.1.1 program_config_element(); returns how many channels its elements have.
std::uint16_t read_program_config(BitReader& in) {
  in.skip(4 + 2 + 4);  // element_instance_tag, object_type, sampling_frequency_index
  const std::uint32_t front = in.bits(4);
  const std::uint32_t side = in.bits(4);
  const std::uint32_t back = in.bits(4);
  const std::uint32_t lfe = in.bits(2);
  const std::uint32_t data = in.bits(3);
  const std::uint32_t coupling = in.bits(4);
  for (const unsigned size : {4U, 4U, 3U}) {  // mono, stereo and matrix mixdown
    if (in.flag()) {
      in.skip(size);
    }
  }
  std::uint32_t channels = lfe;
  for (std::uint32_t i = 0; i < front + side + back; ++i) {
    channels += in.flag() ? 2 : 1;  // element_is_cpe
    in.skip(4);
  }
  in.skip(std::size_t{4} * lfe + std::size_t{4} * data + std::size_t{5} * coupling);
  in.align_to_byte();
  in.skip(std::size_t{8} * in.u8());  // comment_field_data
  return static_cast<std::uint16_t>(channels);
}

struct Parsed {
  std::uint32_t object_type = 0;
  std::uint32_t core_rate = 0;
  std::uint32_t output_rate = 0;
  std::uint16_t channels = 0;
  std::uint32_t frame_length = 1024;
  bool sbr = false, ps = false;
  bool sbr_said = false;  // that there is, or is not: else a decoder looks for it in the frames
};

bool is_general_audio(std::uint32_t type) {
  return (type >= 1 && type <= 4) || type == kScalable || type == 7 || type == kErLc ||
         (type >= 19 && type <= kErLd);
}

// 4.4.1 GASpecificConfig()
void read_general_audio(BitReader& in, std::uint32_t channel_configuration, Parsed& parsed) {
  const bool short_frames = in.flag();  // frameLengthFlag
  parsed.frame_length = short_frames ? 960 : 1024;
  if (parsed.object_type == kErLd) {
    parsed.frame_length /= 2;
  }
  if (in.flag()) {  // dependsOnCoreCoder
    in.skip(14);    // coreCoderDelay
  }
  const bool extension = in.flag();
  if (channel_configuration == 0) {
    parsed.channels = read_program_config(in);
  }
  const std::uint32_t type = parsed.object_type;
  if (type == kScalable || type == kErScalable) {
    in.skip(3);  // layerNr
  }
  if (extension) {
    if (type == kErBsac) {
      in.skip(5 + 11);  // numOfSubFrame, layer_length
    }
    if (type == kErLc || type == 19 || type == kErScalable || type == kErLd) {
      in.skip(3);  // the three resilience flags
    }
    in.skip(1);  // extensionFlag3
  }
}

// 1.6.2.1: SBR and PS said behind the core's configuration, where old decoders do not look. What
// does not read as such is padding.
void read_sync_extension(BitReader& in, Parsed& parsed) {
  constexpr std::uint32_t kSyncSbr = 0x2b7;
  constexpr std::uint32_t kSyncPs = 0x548;
  if (in.left() < 16 || in.bits(11) != kSyncSbr || read_object_type(in) != kSbr) {
    return;
  }
  parsed.sbr_said = true;
  if (!in.flag()) {  // sbrPresentFlag
    return;
  }
  const std::uint32_t rate = read_sample_rate(in);
  if (!in.ok() || rate == 0 || rate > kMaxRate) {
    return;
  }
  parsed.sbr = true;
  parsed.output_rate = rate;
  parsed.ps = in.left() >= 12 && in.bits(11) == kSyncPs && in.flag();
}

// As ffprobe names it.
std::string profile_name(const Parsed& parsed) {
  if (parsed.ps) {
    return "HE-AACv2";
  }
  if (parsed.sbr) {
    return "HE-AAC";
  }
  switch (parsed.object_type) {
    case 1:
      return "Main";
    case 2:
      return "LC";
    case 3:
      return "SSR";
    case 4:
      return "LTP";
    case kErLd:
      return "LD";
    case kErEld:
      return "ELD";
    default:
      return std::to_string(parsed.object_type);
  }
}

// TrackConfig::decoder_setup: two configurations that differ in no more than padding, or in how
// they say that there is SBR, are equal.
Bytes decoder_setup(const Parsed& parsed, std::uint32_t channel_configuration, ByteView record) {
  Bytes out;
  put_u8(out, static_cast<std::uint8_t>(parsed.object_type));
  put_u8(out, static_cast<std::uint8_t>((parsed.sbr_said ? 1 : 0) | (parsed.sbr ? 2 : 0) |
                                        (parsed.ps ? 4 : 0)));
  put_u16(out, static_cast<std::uint16_t>(parsed.frame_length));
  put_u8(out, static_cast<std::uint8_t>(channel_configuration));
  if (channel_configuration == 0) {  // a program config element: where each channel belongs
    put_bytes(out, record);
  }
  return out;
}

}  // namespace

std::uint32_t aac_object_type(ByteView record) {
  BitReader in(record);
  return read_object_type(in);
}

Result<TrackConfig> parse_aac_config(ByteView record) {
  BitReader in(record);
  Parsed parsed;
  parsed.object_type = read_object_type(in);
  parsed.core_rate = parsed.output_rate = read_sample_rate(in);
  const std::uint32_t channel_configuration = in.bits(4);
  parsed.channels = channels_of(channel_configuration);
  const bool explicit_sbr = parsed.object_type == kSbr || parsed.object_type == kPs;
  if (explicit_sbr) {
    parsed.sbr = parsed.sbr_said = true;
    parsed.ps = parsed.object_type == kPs;
    parsed.output_rate = read_sample_rate(in);
    parsed.object_type = read_object_type(in);
    if (parsed.object_type == kErBsac) {
      in.skip(4);  // extensionChannelConfiguration
    }
  }
  if (in.ok() && is_general_audio(parsed.object_type)) {
    read_general_audio(in, channel_configuration, parsed);
  } else if (in.ok() && parsed.object_type == kErEld) {
    parsed.frame_length = in.flag() ? 480 : 512;  // 4.6.20.3 ELDSpecificConfig()
  } else if (in.ok()) {
    return corrupt("audio object type " + std::to_string(parsed.object_type) + " is not AAC");
  }
  if (!in.ok()) {
    return corrupt("ends too early");
  }
  if (parsed.core_rate == 0 || parsed.core_rate > kMaxRate || parsed.output_rate == 0 ||
      parsed.output_rate > kMaxRate) {
    return corrupt("no valid sample rate");
  }
  if (parsed.channels == 0) {
    return corrupt("no channels");
  }
  if (!explicit_sbr && parsed.object_type != kErEld) {
    read_sync_extension(in, parsed);
  }
  TrackConfig track;
  track.codec = Codec::kAac;
  track.timescale = parsed.core_rate;
  track.default_duration = parsed.frame_length;
  track.record.assign(record.begin(), record.end());
  track.decoder_setup = decoder_setup(parsed, channel_configuration, record);
  track.source.profile = profile_name(parsed);
  track.source.sample_rate = parsed.output_rate;
  // 1.6.5.2: parametric stereo makes two channels of a mono core
  track.source.channels = parsed.ps && parsed.channels == 1 ? std::uint16_t{2} : parsed.channels;
  return track;
}

Result<TrackConfig> parse_mp3_frame(ByteView frame) {
  ByteReader in(frame);
  const std::uint32_t header = in.u32();
  if (!in.ok() || header >> 21 != 0x7FF) {  // syncword; 11 bits with MPEG-2.5
    return Error{Errc::kCorrupt, "MP3: no frame header"};
  }
  // ID 0: MPEG-2.5, 2: MPEG-2 (ISO/IEC 13818-3), 3: MPEG-1; layer 1 stands for III
  const std::uint32_t id = header >> 19 & 3;
  const std::uint32_t layer = header >> 17 & 3;
  const std::uint32_t bitrate = header >> 12 & 15;
  const std::uint32_t rate = header >> 10 & 3;
  if (layer != 1) {
    return Error{Errc::kCorrupt, "MP3: a frame of another layer than III"};
  }
  if (id == 1 || bitrate == 15 || rate == 3) {
    return Error{Errc::kCorrupt, "MP3: reserved values in a frame header"};
  }
  static constexpr std::array<std::uint32_t, 3> kRates{44100, 48000, 32000};
  TrackConfig track;
  track.codec = Codec::kMp3;
  track.source.sample_rate = kRates[rate] / (id == 3 ? 1 : id == 2 ? 2 : 4);
  track.timescale = track.source.sample_rate;
  track.default_duration = id == 3 ? 1152 : 576;
  track.source.channels = (header >> 6 & 3) == 3 ? 1 : 2;  // mode 3: single_channel
  return track;
}

}  // namespace recording::media
