#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "media/aac_config.hpp"

namespace {

void check(recording::Result<recording::media::TrackConfig> result) {
  if (!result) {
    return;
  }
  const recording::media::TrackConfig& track = result.value();
  if (track.timescale == 0 || track.source.sample_rate == 0 || track.source.sample_rate > 192000 ||
      track.source.channels == 0 || track.default_duration == 0) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check(recording::media::parse_aac_config({data, size}));
  check(recording::media::parse_mp3_frame({data, size}));
  return 0;
}
