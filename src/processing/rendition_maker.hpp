#pragma once

#include <string>
#include <vector>

#include "processing/ffmpeg_run.hpp"
#include "processing/output_plan.hpp"
#include "processing/progress.hpp"
#include "processing/sample_digest.hpp"
#include "storage/file.hpp"

namespace recording::processing {

// A rendition that was written and finished, but has not got its name yet.
struct MadeRendition {
  std::string path;
  SampleDigest pictures, sounds;  // what was written
  std::uint64_t keys = 0;
  std::int64_t duration_ms = 0;
};

struct MadeRenditions {
  std::vector<MadeRendition> renditions;  // in the order of `paths`
  std::string missing;                    // as of Outcome
  std::string error;                      // nothing could be decoded: there are no renditions
};

// Encodes all renditions together, each into its file of `paths`, which do not exist yet: the
// pictures are decoded once, and so is the sound. Errors are those of process_video().
Result<MadeRenditions> make_renditions(storage::FileSystem& files, const Tools& tools,
                                       const SourcePlan& source, const OutputPlan& output,
                                       const std::vector<std::string>& paths, Progress& progress);

}  // namespace recording::processing
