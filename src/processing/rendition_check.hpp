#pragma once

#include "processing/ffmpeg_run.hpp"
#include "processing/rendition_maker.hpp"
#include "storage/file.hpp"

namespace recording::processing {

// Decodes all of a rendition as a download would have it, and compares what comes out with what was
// written. kCorrupt: it is not right; else as FfmpegRun.
Status check_rendition(storage::FileSystem& files, const Tools& tools, const MadeRendition& made);

}  // namespace recording::processing
