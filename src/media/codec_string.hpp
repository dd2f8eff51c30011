#pragma once

#include <string>

#include "media/track_config.hpp"

namespace recording::media {

// What CODECS of HLS and MIME types call the track (RFC 6381, 3.3 and 3.4; ISO/IEC 14496-15, E.3;
// the codecs' own bindings to ISO BMFF): "avc1.64001f", "mp4a.40.2". Empty: its record cannot be
// read.
std::string codec_string(const TrackConfig& config);

// The same of H.264 of which these three are known.
std::string avc_codec_string(std::uint8_t profile, std::uint8_t constraints, std::uint8_t level);

}  // namespace recording::media
