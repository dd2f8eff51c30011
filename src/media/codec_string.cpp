#include "media/codec_string.hpp"

#include <array>

#include "base/strings.hpp"
#include "media/aac_config.hpp"

namespace recording::media {
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
    default:
      return {};
  }
}

}  // namespace recording::media
