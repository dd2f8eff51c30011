#pragma once

#include <cstdint>
#include "mp4/rescale.hpp"
#include "mp4/track_table.hpp"

namespace recording::mp4 {

inline constexpr std::int64_t kEndless = kLongestTime;

// What part of the recording's time a movie shows, in ticks of the movie.
struct Shown {
  std::int64_t begin = 0, end = kEndless;
};

// Which samples a movie has, and what part of their time is shown. By default, all of both.
struct Selection {
  struct Track {
    std::int64_t begin_dts = 0, end_dts = kEndless;
    // Leading pictures of an open group, which refer to what comes before it, are left out.
    std::int64_t least_pts = 0;

    [[nodiscard]] bool has(const Sample& sample) const {
      return sample.dts >= begin_dts && sample.dts < end_dts &&
             sample.dts + sample.cts >= least_pts;
    }
  };
  PerTrack<Track> tracks;
  Shown shown;
};

}  // namespace recording::mp4
