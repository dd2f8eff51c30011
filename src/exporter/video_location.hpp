#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "mp4/committed.hpp"
#include "runtime/records.hpp"

namespace recording::exporter {

// The two folders that a video can be in, absolute.
struct VideoFolders {
  std::string spool;
  std::string storage;
};

// Where a video's files are, or may be: they are moved from the spool to the storage while nobody
// waits.
struct VideoLocation {
  std::vector<std::string> folders;  // to be tried in this order
  mp4::Committed committed;          // of its source, should that not be finished
};

// Of a recording that the live state knows. `app` and `stream`: of its stream's record.
VideoLocation locate_recording(const VideoFolders& folders,
                               const runtime::RecordingRecord& recording, std::string_view app,
                               std::string_view stream);

// Of a video that only the catalogue knows. kNotFound: its file was not kept, with the error's word
// in front.
Result<VideoLocation> locate_video(const VideoFolders& folders, const catalog::VideoRow& row);

}  // namespace recording::exporter
