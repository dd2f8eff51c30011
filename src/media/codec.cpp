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
    case Codec::kHevc:
      return "hevc";
    case Codec::kAv1:
      return "av1";
    case Codec::kVp9:
      return "vp9";
    case Codec::kOpus:
      return "opus";
    case Codec::kAc3:
      return "ac3";
    case Codec::kEac3:
      return "eac3";
    case Codec::kFlac:
      return "flac";
    case Codec::kNone:
      break;
  }
  return "none";
}

}  // namespace recording::media
