#include "media/video_source.hpp"

#include "media/avc_source.hpp"

namespace recording::media {

std::unique_ptr<VideoSource> make_video_source(Codec codec) {
  return codec == Codec::kAvc ? make_avc_source() : nullptr;
}

}  // namespace recording::media
