#include "mp4/sample_entries.hpp"

#include <algorithm>

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

void avc_entry(BoxWriter& out, const media::TrackConfig& config) {
  out.box("avc1", [&] {  // ISO/IEC 14496-15, 5.4.2.1
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
    out.box("avcC", [&] { out.bytes(config.record); });
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

void audio_entry(BoxWriter& out, const media::TrackConfig& config) {
  out.box("mp4a", [&] {  // ISO/IEC 14496-12, 12.2.3 AudioSampleEntry
    sample_entry_head(out);
    out.zeros(8);
    out.u16(config.source.channels);
    out.u16(16);
    out.zeros(4);
    // 16.16; a rate that does not fit is 0, and the decoder configuration says it.
    out.u32(config.source.sample_rate <= 0xFFFF ? config.source.sample_rate << 16 : 0);
    esds(out, config);
  });
}

}  // namespace

void write_sample_entry(BoxWriter& out, const media::TrackConfig& config) {
  config.codec == media::Codec::kAvc ? avc_entry(out, config) : audio_entry(out, config);
}

}  // namespace recording::mp4
