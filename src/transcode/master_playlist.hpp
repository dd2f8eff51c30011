#pragma once

#include <cstdint>
#include <string>

#include "transcode/frozen_source.hpp"
#include "transcode/ladder.hpp"
#include "transcode/settings.hpp"

namespace recording::transcode {

// The HLS multivariant playlist (RFC 8216, 4.3.4) over what ffmpeg_arguments() leaves: CODECS,
// RESOLUTION, FRAME-RATE, BANDWIDTH. To be put beside the media playlists, whole, once they all
// exist. `source_bps`: of the copied source's pictures, as measured so far; 0: not measured.
std::string master_playlist(const FrozenSource& source, const TranscoderSettings& settings,
                            std::int64_t source_bps, Copying copying = Copying::kAllowed);

}  // namespace recording::transcode
