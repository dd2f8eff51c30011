#pragma once

#include <memory>

#include "media/video_source.hpp"

namespace recording::media {

std::unique_ptr<VideoSource> make_av1_source();

}  // namespace recording::media
