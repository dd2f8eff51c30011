#pragma once

#include "media/track_config.hpp"
#include "mp4/box_writer.hpp"

namespace recording::mp4 {

// The sample entry of a configuration: avc1 with avcC, hvc1 with hvcC, av01 with av1C, vp09 with
// vpcC; mp4a with esds, Opus with dOps, ac-3 with dac3, ec-3 with dec3, fLaC with dfLa. No colr
// box: it would speak for one epoch and be wrong for another, and what is in-band says it anyway.
void write_sample_entry(BoxWriter& out, const media::TrackConfig& config);

}  // namespace recording::mp4
