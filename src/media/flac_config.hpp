#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/track_config.hpp"

namespace recording::media {

// FLAC's STREAMINFO (RFC 9639, 8.2), with or without "fLaC" and the header of its metadata block in
// front. The track's record is the one metadata block that dfLa needs (Encapsulation of FLAC in ISO
// BMFF, 3.3.2); default_duration is the block size where all blocks but the last are equal.
Result<TrackConfig> parse_flac_header(ByteView header);

// Of such a track's record.
std::uint8_t flac_bits_per_sample(ByteView record);

}  // namespace recording::media
