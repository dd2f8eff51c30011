// What parses must be within its bounds: AC-3 by its first bytes, E-AC-3 by whole access units.
#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "media/ac3_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording::media;
  auto ac3 = parse_ac3_frame({data, size});
  if (ac3) {
    const TrackConfig& track = ac3.value();
    require(track.record.size() == 3 && track.default_duration == 1536);
    require(track.source.channels >= 1 && track.source.channels <= 6);
    require(track.timescale >= 8000 && track.timescale <= 48000);
  }
  auto eac3 = parse_eac3_access_unit({data, size});
  if (eac3) {
    const TrackConfig& track = eac3.value();
    require(track.record.size() >= 5 && track.record.size() <= 2 + 8 * 4);
    require(track.source.channels >= 1 && track.source.channels <= 21);
    require(track.timescale >= 16000 && track.timescale <= 48000);
    require(track.default_duration > 0 && track.default_duration % 256 == 0);
  }
  return 0;
}
