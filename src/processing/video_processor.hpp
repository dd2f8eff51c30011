#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "storage/file.hpp"
#include "transcode/settings.hpp"

// What becomes of a recording afterwards: qualities to download, and pictures of it.
namespace recording::processing {

using transcode::RenditionSetting;

// What is to be made of one video.
struct Order {
  std::string source;  // path of our finished source.mp4
  std::string folder;  // for what is made: {name}.mp4, poster.jpg, …; it exists
  std::vector<RenditionSetting> renditions;
  bool pictures = true;
  std::string ffmpeg = "ffmpeg";  // found as execvp does
  std::string launcher;           // path of recording-launcher
};

// Told from the thread that called process_video(), five times a second at most.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void progressed(double part) = 0;  // of all that was ordered: 0 to 1, never falling
  // True: ffmpeg is ended, what was begun is removed, and process_video() returns; within a second.
  virtual bool cancelled() = 0;
};

// One quality. Without an error, {folder}/{name}.mp4 is there: one of our own finished files
// (docs/file-format.md), H.264 and AAC, of one size and one sample rate throughout.
struct Rendition {
  std::string name;
  std::uint32_t width = 0, height = 0;  // 0: the recording has no pictures
  std::uint64_t size = 0;               // bytes, of the download
  std::int64_t duration_ms = 0;
  std::string error;  // why there is none, for a person
};

// Of a recording without pictures there are none, and that is no error.
struct Pictures {
  bool poster = false;  // poster.jpg
  int screenshots = 0;  // screenshot-1.jpg and so on
  bool sprite = false;  // sprite.jpg and sprite.vtt
  std::string error;    // why some are not there, for a person
};

struct Outcome {
  std::vector<Rendition> renditions;  // in the order in which they were ordered
  Pictures pictures;
  // What all renditions lack because it could not be decoded, for a person: "00:05:12–00:06:00
  // could not be decoded: …". Empty: nothing. There the last picture before stands still.
  std::string missing;
};

// Those of `settings` that process_video() would make: whose height is not more than the shorter
// side of the largest picture that the recording has; all of a recording without pictures, which
// get sound alone. Errors as of process_video(). Blocks.
Result<std::vector<RenditionSetting>> fitting_renditions(
    storage::FileSystem& files, const std::string& source,
    const std::vector<RenditionSetting>& settings);

// Makes what is ordered. What can be made is made: a rendition or picture that failed has an error
// in the outcome and does not hold up the others. Each file gets its name only when it is whole,
// was checked, and is synced; it takes the place of one of that name. Until then, and after the
// process was killed, there are only names in `folder` that begin with ".processing-"; the next
// call with that folder removes them, so there must be one at a time.
//
// An Error when nothing could be made at all: kNotFound no source; kConflict it is still recorded;
// kCorrupt none of ours; kUnavailable the launcher or ffmpeg cannot be run, or the observer
// cancelled; kNoSpace, kIo of writing, where trying again may help; kInternal ffmpeg hangs. Blocks,
// for as long as encoding takes: a thread of its own, which must not be the event loop's. Several
// may run at once for different folders. Launchers are children that nobody waits for: the program
// has SIGCHLD ignored, or reaps all.
Result<Outcome> process_video(storage::FileSystem& files, const Order& order, Observer& observer);

}  // namespace recording::processing
