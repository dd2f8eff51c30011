#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/track_config.hpp"

namespace recording::media {

// AC-3 and E-AC-3 have no sequence header in Enhanced RTMP: a track is described by its first
// frame (ETSI TS 102 366, 4.4.1 and E.1.3.1). The record is the payload of dac3 or dec3 (annex F).

// `front`: the first bytes of a frame, kAc3Head are enough.
inline constexpr std::size_t kAc3Head = 16;
Result<TrackConfig> parse_ac3_frame(ByteView front);

// `access_unit`: the frames of all substreams for the same time. Where only its first bytes are
// given, the frames that are not there are not counted.
Result<TrackConfig> parse_eac3_access_unit(ByteView access_unit);

}  // namespace recording::media
