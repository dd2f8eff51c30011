#include "media/codec_string.hpp"

#include <array>

#include "base/strings.hpp"

namespace recording::media {
namespace {

// ISO/IEC 14496-3, 1.6.2.1: audioObjectType, with its escape. What decodes is the core's type, but
// players want to know of SBR that is signalled in front of it.
std::uint32_t audio_object_type(ByteView config) {
  constexpr std::uint32_t kEscape = 31, kLc = 2;
  if (config.empty()) {
    return kLc;
  }
  const std::uint32_t type = config[0] >> 3;
  if (type != kEscape || config.size() < 2) {
    return type;
  }
  return 32 + ((config[0] & 7U) << 3 | config[1] >> 5);
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
      return "mp4a.40." + std::to_string(audio_object_type(config.record));
    case Codec::kMp3:
      return "mp4a.40.34";  // as FFmpeg and browsers have it in MP4
    default:
      return {};
  }
}

}  // namespace recording::media
