#pragma once

#include <vector>

#include "processing/ffmpeg_run.hpp"
#include "processing/progress.hpp"
#include "processing/rendition_maker.hpp"

namespace recording::processing {

// Decodes all of each and compares what comes out with what was written; of each nothing, or
// kCorrupt: it is not right. Errors: as FfmpegRun, when that is no fault of what was written.
Result<std::vector<Status>> check_renditions(const Tools& tools,
                                             const std::vector<MadeRendition>& made,
                                             Progress& progress);

}  // namespace recording::processing
