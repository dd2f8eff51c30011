#pragma once

#include <string>

#include "processing/ffmpeg_run.hpp"
#include "processing/progress.hpp"
#include "processing/source_plan.hpp"
#include "processing/video_processor.hpp"

namespace recording::processing {

// Makes poster, screenshots and sprite of key frames, each decoded by itself: what is between them
// is neither read nor decoded, and one that is damaged does no harm. What cannot be made says so in
// the result; an Error is one of writing, or of running programs.
Result<Pictures> make_pictures(storage::FileSystem& files, const Tools& tools,
                               const SourcePlan& source, const std::string& folder,
                               Progress& progress);

}  // namespace recording::processing
