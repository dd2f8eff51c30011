#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/track_config.hpp"

namespace recording::media {

// An Opus identification header (RFC 7845, 5.1), with or without its "OpusHead". The track's record
// is the payload of dOps (Encapsulation of Opus in ISO BMFF, 4.3.2); its timescale is 48000,
// whatever rate the encoder was given; default_duration are 20 ms, what nearly all packets last.
Result<TrackConfig> parse_opus_head(ByteView head);

// Where the header is left empty, as Enhanced RTMP allows: the usual layout of that many channels
// (RFC 7845, 5.1.1.1 and 5.1.1.2). 1 to 8.
Result<TrackConfig> opus_config_of(std::uint32_t channels);

}  // namespace recording::media
