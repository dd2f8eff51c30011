#include "media/codec_string.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/strings.hpp"
#include "media/aac_config.hpp"

namespace recording::media {
namespace {

// ISO/IEC 14496-15, E.3: profile, compatibility flags from the last bit to the first, tier and
// level, constraints without the zeros at their end.
std::string hevc_codec_string(ByteView record) {
  constexpr std::size_t kConstraints = 6, kLevel = 12;
  if (record.size() <= kLevel) {
    return {};
  }
  std::string out = "hvc1.";
  if (const unsigned space = record[1] >> 6; space != 0) {
    out += static_cast<char>('A' + space - 1);
  }
  std::uint32_t flags = 0;
  for (unsigned bit = 0; bit < 32; ++bit) {
    flags |= (record[2 + bit / 8] >> (7 - bit % 8) & 1U) << bit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%u.%X.%c%u", record[1] & 31U, flags,
                (record[1] & 0x20) != 0 ? 'H' : 'L', record[kLevel]);
  out += text;
  const auto end = std::find_if(std::make_reverse_iterator(record.begin() + kLevel),
                                std::make_reverse_iterator(record.begin() + kConstraints),
                                [](std::uint8_t byte) { return byte != 0; })
                       .base();
  for (auto byte = record.begin() + kConstraints; byte != end; ++byte) {
    std::snprintf(text, sizeof text, ".%X", *byte);
    out += text;
  }
  return out;
}

// AV1 Codec ISO Media File Format Binding, 5.
std::string av1_codec_string(ByteView record) {
  if (record.size() < 4) {
    return {};
  }
  const int depth = (record[2] & 0x40) == 0 ? 8 : (record[2] & 0x20) != 0 ? 12 : 10;
  char text[32];
  std::snprintf(text, sizeof text, "av01.%u.%02u%c.%02d", record[1] >> 5, record[1] & 31U,
                (record[2] & 0x80) != 0 ? 'H' : 'M', depth);
  return text;
}

// VP Codec ISO Media File Format Binding, "Codecs Parameter String".
std::string vp9_codec_string(ByteView record) {
  if (record.size() < 3) {
    return {};
  }
  char text[32];
  std::snprintf(text, sizeof text, "vp09.%02u.%02u.%02u", record[0], record[1], record[2] >> 4);
  return text;
}

}  // namespace

std::string avc_codec_string(std::uint8_t profile, std::uint8_t constraints, std::uint8_t level) {
  return "avc1." + to_hex(std::array<std::uint8_t, 3>{profile, constraints, level});
}

std::string codec_string(const TrackConfig& config) {
  switch (config.codec) {
    case Codec::kAvc:
      // AVCDecoderConfigurationRecord: bytes 1 to 3
      return config.record.size() < 4
                 ? std::string()
                 : avc_codec_string(config.record[1], config.record[2], config.record[3]);
    case Codec::kAac:
      // 2 is what almost all encoders send.
      return "mp4a.40." +
             std::to_string(config.record.empty() ? 2 : aac_object_type(config.record));
    case Codec::kMp3:
      return "mp4a.40.34";  // as FFmpeg and browsers have it in MP4
    case Codec::kHevc:
      return hevc_codec_string(config.record);
    case Codec::kAv1:
      return av1_codec_string(config.record);
    case Codec::kVp9:
      return vp9_codec_string(config.record);
    case Codec::kOpus:
      return "opus";
    case Codec::kAc3:
      return "ac-3";
    case Codec::kEac3:
      return "ec-3";
    case Codec::kFlac:
      return "fLaC";
    case Codec::kNone:
      break;
  }
  return {};
}

}  // namespace recording::media
