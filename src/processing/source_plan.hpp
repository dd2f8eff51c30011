#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "media/track_config.hpp"
#include "mp4/clip.hpp"
#include "mp4/sample.hpp"
#include "storage/file.hpp"

namespace recording::processing {

// Times are ticks of 1/120000 s in the recording's time, unless a name says otherwise.
inline constexpr std::uint32_t kTicks = media::kVideoTimescale;

// A piece of pictures that is written in one go, about a second.
struct PictureStretch {
  std::int64_t begin = 0, end = 0;  // when its first picture is seen, and when its last is over
  std::uint64_t pictures = 0;
};

// A stretch of the recording's time in which nothing was recorded.
struct Gap {
  std::int64_t begin = 0, end = 0;
};

// Where players of the source find a discontinuity. What is made of it has one at the same place
// (RFC 8216, 6.2.4): in front of the first media behind the mark, but where a change comes between
// two key frames, in front of the next one.
struct SourceSeam {
  std::int64_t at = 0;
  mp4::Mark mark;  // says nothing at a change of the source
};

struct KeyPicture {
  std::int64_t at = 0;
  std::size_t part = 0;  // into SourcePlan::pictures
};

// What is decoded by one decoder: a track between two changes of it.
struct SourcePart {
  media::TrackConfig config;
  mp4::Clip clip;          // this track alone
  std::int64_t begin = 0;  // where the clip's time 0 is
  std::int64_t end = 0;    // where the next part of the track begins, or the recording ends
};

// It also ends at a seam.
struct PicturePart : SourcePart {
  std::vector<PictureStretch> stretches;
  // How long its last picture stands: to the next part, to a gap in front of that, or, of the last
  // part, as long as it does in the recording.
  std::int64_t pictures_end = 0;
};

// What a finished recording consists of, as far as it matters to those who make something of it.
struct SourcePlan {
  std::shared_ptr<storage::File> file;  // the finished recording
  mp4::Identity identity;
  std::vector<PicturePart> pictures;
  std::vector<SourcePart> sounds;
  std::vector<SourceSeam> seams;  // in order, that of the beginning first
  std::vector<KeyPicture> keys;   // in order
  std::vector<Gap> gaps;          // those that recording_gap keeps, in order
  std::int64_t end = 0;           // of the longest track
};

// kNotFound, kCorrupt, kIo as of reading; kConflict: the recording is not finished. Blocks; walks
// the indexes once.
Result<SourcePlan> read_source(std::shared_ptr<storage::File> file);

}  // namespace recording::processing
