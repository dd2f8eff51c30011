#pragma once

#include <cstdint>
#include <string>

namespace recording::media {

// One quality of an HLS multivariant playlist (RFC 8216, 4.3.4.2).
struct StreamInf {
  double most_bps = 0, average_bps = 0;
  std::string codecs;                   // RFC 6381, separated by commas; empty: left out
  std::uint32_t width = 0, height = 0;  // 0: no pictures
  double frame_rate = 0;                // 0: left out
  std::string audio_group;              // empty: none
  std::string uri;
};

// Its two lines.
std::string to_text(const StreamInf& variant);

}  // namespace recording::media
