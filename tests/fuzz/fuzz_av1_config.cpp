// What parses must be within its bounds, and be the same after it was written and parsed again.
#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "media/av1_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording::media;
  const recording::ByteView bytes(data, size);
  (void)parse_av1_sequence(bytes);
  if (const auto obu = parse_av1_obu(bytes, size)) {
    require(obu->header_size + obu->payload_size <= size && obu->header_size > 0);
  }
  (void)av1_config_of(bytes);
  auto config = parse_av1_config(bytes);
  if (!config) {
    require(!config.error().message.empty());
    return 0;
  }
  const Av1Sequence& sequence = config.value().sequence;
  require(sequence.width > 0 && sequence.width <= 16384);
  require(sequence.height > 0 && sequence.height <= 16384);
  const TrackConfig track = config.value().track();
  auto again = parse_av1_config(track.record);
  require(bool(again) && again.value().track().record == track.record);
  require(again.value().track().same_source(track));
  require(again.value().in_band() == config.value().in_band());
  return 0;
}
