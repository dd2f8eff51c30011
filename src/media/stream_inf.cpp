#include "media/stream_inf.hpp"

#include <cmath>
#include <cstdio>

namespace recording::media {

std::string to_text(const StreamInf& variant) {
  std::string text =
      "#EXT-X-STREAM-INF:BANDWIDTH=" + std::to_string(std::llround(variant.most_bps)) +
      ",AVERAGE-BANDWIDTH=" + std::to_string(std::llround(variant.average_bps));
  if (!variant.codecs.empty()) {
    text += ",CODECS=\"" + variant.codecs + "\"";
  }
  if (variant.width != 0) {
    text += ",RESOLUTION=" + std::to_string(variant.width) + "x" + std::to_string(variant.height);
  }
  if (variant.width != 0 && variant.frame_rate > 0) {
    char rate[32];
    std::snprintf(rate, sizeof rate, "%.3f", variant.frame_rate);
    text += std::string(",FRAME-RATE=") + rate;
  }
  if (!variant.audio_group.empty()) {
    text += ",AUDIO=\"" + variant.audio_group + "\"";
  }
  return text + "\n" + variant.uri + "\n";
}

}  // namespace recording::media
