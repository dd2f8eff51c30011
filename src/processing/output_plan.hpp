#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "media/frame_rate.hpp"
#include "processing/source_plan.hpp"
#include "transcode/picture_size.hpp"
#include "transcode/settings.hpp"

namespace recording::processing {

// Colours as they are told by ITU-T H.273; of the whole output.
struct Colours {
  std::uint8_t primaries = media::kColorNotSaid, transfer = media::kColorNotSaid,
               matrix = media::kColorNotSaid;
};

struct OutputPictures {
  transcode::PictureSize size;
  std::int64_t bps = 0, most_bps = 0;
  std::uint8_t level = 0;
};

// What every rendition of a video is encoded as, whatever its source changes to in between.
struct OutputPlan {
  // One encoder each: the largest first, each with the rendition that it is for.
  struct Pictures : OutputPictures {
    std::size_t rendition = 0;
  };
  std::vector<Pictures> pictures;
  transcode::PictureShape shape;
  Colours colours;
  media::FrameRate rate;  // of the part that has the highest
  // Parts have different ones: all get `rate`, on one grid from the recording's zero. Otherwise
  // pictures keep their own times, and `rate` is only declared.
  bool constant_rate = false;
  // One encoder for each bit rate that is wanted; rendition i has sound sounds_of[i].
  std::vector<std::int64_t> sound_bps;
  std::vector<std::size_t> sounds_of;
  std::uint32_t sample_rate = 0;
  std::uint16_t channels = 0;
};

// Whether a transfer of H.273 is of high dynamic range, PQ or HLG: renditions are not.
bool is_high_range(std::uint8_t transfer);

// What ffmpeg's scale filter calls a matrix of H.273; empty: it does not convert from or to it.
std::string matrix_option(std::uint8_t matrix);

// The largest picture that a source has: all others get bars, or are scaled up.
const media::SourceParameters* largest_picture(const SourcePlan& source);

// Of all renditions, which must fit; see fitting().
OutputPlan plan_output(const SourcePlan& source,
                       const std::vector<transcode::RenditionSetting>& renditions);

// Whether a rendition is not larger than the source. Of one without pictures all are.
bool fits(const SourcePlan& source, const transcode::RenditionSetting& rendition);

}  // namespace recording::processing
