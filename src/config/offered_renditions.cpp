#include "config/offered_renditions.hpp"

#include <algorithm>

namespace recording::config {

std::vector<transcode::RenditionSetting> offered_renditions(const Config& config) {
  std::vector<transcode::RenditionSetting> offered = config.renditions;
  const transcode::RenditionSetting usual[] = {
      {"2160p", 2160, 16000000, 192000}, {"1440p", 1440, 9000000, 192000},
      {"1080p", 1080, 5000000, 128000},  {"720p", 720, 2800000, 128000},
      {"480p", 480, 1400000, 96000},     {"360p", 360, 800000, 96000},
      {"240p", 240, 400000, 64000}};
  for (const auto& one : usual) {
    if (std::none_of(config.renditions.begin(), config.renditions.end(),
                     [&](const auto& other) { return other.name == one.name; })) {
      offered.push_back(one);
    }
  }
  std::sort(offered.begin(), offered.end(),
            [](const auto& a, const auto& b) { return a.height > b.height; });
  return offered;
}

}  // namespace recording::config
