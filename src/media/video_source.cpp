#include "media/video_source.hpp"

#include "media/av1_source.hpp"
#include "media/avc_source.hpp"
#include "media/hevc_source.hpp"
#include "media/vp9_source.hpp"

namespace recording::media {

std::unique_ptr<VideoSource> make_video_source(Codec codec) {
  switch (codec) {
    case Codec::kAvc:
      return make_avc_source();
    case Codec::kHevc:
      return make_hevc_source();
    case Codec::kAv1:
      return make_av1_source();
    case Codec::kVp9:
      return make_vp9_source();
    default:
      return nullptr;
  }
}

}  // namespace recording::media
