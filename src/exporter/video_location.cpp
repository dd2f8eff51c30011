#include "exporter/video_location.hpp"

#include <algorithm>

#include "storage/video_layout.hpp"
#include "exporter/video_path.hpp"

namespace recording::exporter {
namespace {

std::string spool_folder(const VideoFolders& folders, std::string_view slug) {
  return folders.spool + "/" + std::string(slug);
}

// The row was written by us, but a catalogue may be shared and edited: a path that leaves the
// storage is not followed.
bool stays_inside(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != part.npos) {
      return false;
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

}  // namespace

VideoLocation locate_recording(const VideoFolders& folders,
                               const runtime::RecordingRecord& recording, std::string_view app,
                               std::string_view stream) {
  VideoLocation location;
  const std::string_view slug = recording.slug.view();
  if (!is_slug(slug)) {
    return location;
  }
  location.folders.push_back(spool_folder(folders, slug));
  // Where the recorder moves it when it is finished, before its record goes and often before the
  // catalogue knows.
  location.folders.push_back(folders.storage + "/" +
                             storage::video_folder(app, stream, recording.started_wall_ms, slug));
  // The index first: one that is written in between is then behind the length that is read.
  const std::int64_t last_index = recording.last_index.get();
  location.committed = {
      static_cast<std::uint64_t>(std::max<std::int64_t>(recording.committed_bytes.get(), 0)),
      static_cast<std::uint64_t>(std::max<std::int64_t>(last_index, 0))};
  return location;
}

Result<VideoLocation> locate_video(const VideoFolders& folders, const catalog::VideoRow& row) {
  if (row.status == "error" || !is_slug(row.slug)) {
    return Error{Errc::kNotFound,
                 row.error.substr(0, row.error.find(':')) + ": the recording was not kept"};
  }
  VideoLocation location;
  if (row.path.empty()) {
    location.folders.push_back(spool_folder(folders, row.slug));
  } else if (stays_inside(row.path)) {
    location.folders.push_back(folders.storage + "/" + row.path);
  } else {
    return Error{Errc::kCorrupt, "the catalogue names a folder outside of the storage"};
  }
  return location;
}

}  // namespace recording::exporter
