// What parses must be the same after it was written and parsed again.
#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "media/flac_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording::media;
  auto config = parse_flac_header({data, size});
  if (!config) {
    require(!config.error().message.empty());
    return 0;
  }
  const TrackConfig& track = config.value();
  require(track.timescale > 0 && track.timescale < (1U << 20) && track.record.size() == 38);
  require(track.source.channels >= 1 && track.source.channels <= 8);
  require(flac_bits_per_sample(track.record) >= 1 && flac_bits_per_sample(track.record) <= 32);
  auto again = parse_flac_header(track.record);
  require(bool(again) && again.value().record == track.record && again.value().same_source(track));
  return 0;
}
