#pragma once

#include <vector>

#include "processing/ffmpeg_run.hpp"
#include "processing/progress.hpp"
#include "processing/rendition_maker.hpp"

namespace recording::processing {

// Has ffmpeg read each: every sample must have the bytes and the time that the encoder gave it, the
// last one must last about as long as was meant, and every key frame, which brings its parameter
// sets, must decode, as all of the sound. What is between key frames came out of the encoder as it
// stands there, and is not decoded again: that would take a seventh of the time of making it. Of
// each nothing, or kCorrupt: it is not right.
// Errors: as FfmpegRun, when that is no fault of what was written.
Result<std::vector<Status>> check_renditions(const Tools& tools,
                                             const std::vector<MadeRendition>& made,
                                             Progress& progress);

}  // namespace recording::processing
