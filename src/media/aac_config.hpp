#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/track_config.hpp"

namespace recording::media {

// AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). The track's timescale is the core sample rate and
// default_duration the frame length (1024 or 960). channels follows channelConfiguration, or a
// program config element when that is 0. Explicit SBR and PS signalling is understood: sample_rate
// and channels are what comes out of the decoder, as ffprobe says them. (Low delay: frames of 512
// or 480.)
Result<TrackConfig> parse_aac_config(ByteView record);

// Its audioObjectType as it is signalled: what decodes is the core's, but players want to know of
// SBR that stands in front of it. 0: the record is empty.
std::uint32_t aac_object_type(ByteView record);

// The header of an MPEG-1/2/2.5 layer III frame (ISO/IEC 11172-3, 2.4.1.3): MP3 has no sequence
// header in FLV, so the track is described by its first frame. default_duration is 1152 or 576.
Result<TrackConfig> parse_mp3_frame(ByteView frame);

}  // namespace recording::media
