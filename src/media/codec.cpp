#include "media/codec.hpp"

namespace recording::media {

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::kAvc:
      return "h264";
    case Codec::kAac:
      return "aac";
    case Codec::kMp3:
      return "mp3";
    case Codec::kNone:
      break;
  }
  return "none";
}

}  // namespace recording::media
