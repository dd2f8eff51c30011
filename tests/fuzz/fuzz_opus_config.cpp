// What parses is described whole, whatever the header says.
#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "media/opus_config.hpp"

namespace {

void check(recording::Result<recording::media::TrackConfig> config) {
  if (!config) {
    return;
  }
  const recording::media::TrackConfig& track = config.value();
  require(track.source.channels > 0 && track.source.channels < 256 && track.timescale == 48000);
  require(track.record.size() == 11 || track.record.size() == 13U + track.source.channels);
  require(track.record[1] == track.source.channels);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check(recording::media::parse_opus_head({data, size}));
  if (size > 0) {
    check(recording::media::opus_config_of(data[0]));
  }
  return 0;
}
