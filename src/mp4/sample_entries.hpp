#pragma once

#include "media/track_config.hpp"
#include "mp4/box_writer.hpp"

namespace recording::mp4 {

// The sample entry of a configuration: avc1 with avcC, mp4a with esds. No colr box: it would speak
// for one epoch and be wrong for another, and the parameter sets say it anyway.
void write_sample_entry(BoxWriter& out, const media::TrackConfig& config);

}  // namespace recording::mp4
