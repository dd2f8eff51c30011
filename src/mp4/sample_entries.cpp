#include "mp4/sample_entries.hpp"

#include <algorithm>
#include <string_view>

#include "media/flac_config.hpp"

namespace recording::mp4 {
namespace {

// ISO/IEC 14496-12, 8.5.2 SampleEntry: the reference is dref's only entry.
void sample_entry_head(BoxWriter& out) {
  out.zeros(6);
  out.u16(1);
}

std::uint16_t clamp_u16(std::uint32_t value) {
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(value, 0xFFFF));
}

void config_box(BoxWriter& out, const media::TrackConfig& config) {
  const auto record = [&] { out.bytes(config.record); };
  switch (config.codec) {
    case media::Codec::kHevc:
      return out.box("hvcC", record);  // ISO/IEC 14496-15, 8.4.1.1
    case media::Codec::kAv1:
      return out.box("av1C", record);  // AV1 Codec ISO Media File Format Binding, 2.3
    case media::Codec::kVp9:
      return out.full_box("vpcC", 1, 0, record);  // VP Codec ISO Media File Format Binding
    default:
      return out.box("avcC", record);  // ISO/IEC 14496-15, 5.4.2.1
  }
}

std::string_view video_type(media::Codec codec) {
  switch (codec) {
    case media::Codec::kHevc:
      return "hvc1";
    case media::Codec::kAv1:
      return "av01";
    case media::Codec::kVp9:
      return "vp09";
    default:
      return "avc1";
  }
}

void video_entry(BoxWriter& out, const media::TrackConfig& config) {
  out.box(video_type(config.codec), [&] {
    sample_entry_head(out);
    out.zeros(16);  // ISO/IEC 14496-12, 12.1.3 VisualSampleEntry
    out.u16(clamp_u16(config.source.width));
    out.u16(clamp_u16(config.source.height));
    out.u32(0x00480000);  // 72 dpi
    out.u32(0x00480000);
    out.u32(0);
    out.u16(1);     // frames a sample
    out.zeros(32);  // compressorname
    out.u16(0x0018);
    out.u16(0xFFFF);
    config_box(out, config);
    if (config.source.sar_num != config.source.sar_den) {  // 12.1.4.1; a square pixel needs no box
      out.box("pasp", [&] {
        out.u32(config.source.sar_num);
        out.u32(config.source.sar_den);
      });
    }
  });
}

// An expandable size (ISO/IEC 14496-1, 8.3.3) in four bytes, as everybody writes it.
void descriptor(BoxWriter& out, std::uint8_t tag, std::size_t size) {
  out.u8(tag);
  for (int shift = 21; shift > 0; shift -= 7) {
    out.u8(static_cast<std::uint8_t>(0x80U | (size >> shift & 0x7FU)));
  }
  out.u8(static_cast<std::uint8_t>(size & 0x7FU));
}

void esds(BoxWriter& out, const media::TrackConfig& config) {
  constexpr std::size_t kHead = 5, kDecoderConfig = 13;
  const bool mp3 = config.codec == media::Codec::kMp3;
  const std::size_t info = config.record.empty() ? 0 : kHead + config.record.size();
  out.full_box("esds", 0, 0, [&] {  // ISO/IEC 14496-14, 6.7.2
    descriptor(out, 0x03, 3 + kHead + kDecoderConfig + info + kHead + 1);  // ES_Descriptor
    out.u16(0);                                                            // ES_ID: 0 in a file
    out.u8(0);
    descriptor(out, 0x04, kDecoderConfig + info);  // DecoderConfigDescriptor, 14496-1, 7.2.6.6
    out.u8(mp3 ? 0x6B : 0x40);                     // objectTypeIndication: 11172-3 or 14496-3
    out.u8(0x15);                                  // AudioStream, not upstream, reserved 1
    out.u24(0);                                    // bufferSizeDB, maxBitrate, avgBitrate: unknown
    out.u32(0);
    out.u32(0);
    if (info != 0) {
      descriptor(out, 0x05, config.record.size());  // DecoderSpecificInfo: AudioSpecificConfig
      out.bytes(config.record);
    }
    descriptor(out, 0x06, 1);  // SLConfigDescriptor: predefined 2, MP4
    out.u8(0x02);
  });
}

struct AudioEntry {
  std::string_view type, config_box;
};

// Their own documents: Encapsulation of Opus in ISO BMFF, 4.3; ETSI TS 102 366, annex F;
// Encapsulation of FLAC in ISO BMFF, 3.3
AudioEntry audio_type(media::Codec codec) {
  switch (codec) {
    case media::Codec::kOpus:
      return {"Opus", "dOps"};
    case media::Codec::kAc3:
      return {"ac-3", "dac3"};
    case media::Codec::kEac3:
      return {"ec-3", "dec3"};
    case media::Codec::kFlac:
      return {"fLaC", "dfLa"};
    default:
      return {"mp4a", "esds"};
  }
}

void audio_entry(BoxWriter& out, const media::TrackConfig& config) {
  const AudioEntry entry = audio_type(config.codec);
  const bool flac = config.codec == media::Codec::kFlac;
  const auto record = [&] { out.bytes(config.record); };
  out.box(entry.type, [&] {  // ISO/IEC 14496-12, 12.2.3 AudioSampleEntry
    sample_entry_head(out);
    out.zeros(8);
    out.u16(config.source.channels);
    out.u16(flac ? media::flac_bits_per_sample(config.record) : 16);
    out.zeros(4);
    // 16.16; a rate that does not fit is 0, and the decoder configuration says it.
    out.u32(config.source.sample_rate <= 0xFFFF ? config.source.sample_rate << 16 : 0);
    if (entry.config_box == "esds") {
      esds(out, config);
    } else if (flac) {
      out.full_box(entry.config_box, 0, 0, record);
    } else {
      out.box(entry.config_box, record);
    }
  });
}

}  // namespace

void write_sample_entry(BoxWriter& out, const media::TrackConfig& config) {
  media::kind_of(config.codec) == media::TrackKind::kVideo ? video_entry(out, config)
                                                           : audio_entry(out, config);
}

}  // namespace recording::mp4
