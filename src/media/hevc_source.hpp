#pragma once

#include <memory>

#include "media/video_source.hpp"

namespace recording::media {

std::unique_ptr<VideoSource> make_hevc_source();

}  // namespace recording::media
