// What parses must be within its bounds, and be the same after it was written and parsed again.
#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "media/hevc_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording::media;
  const recording::ByteView bytes(data, size);
  (void)parse_hevc_sps(bytes);
  auto config = parse_hevc_config(bytes);
  if (!config) {
    require(!config.error().message.empty());
    return 0;
  }
  const HevcSps& sps = config.value().sps;
  require(sps.width > 0 && sps.width <= 16384 && sps.height > 0 && sps.height <= 16384);
  require(sps.sar_num > 0 && sps.sar_den > 0);
  const TrackConfig track = config.value().track();
  require(!track.source.pix_fmt.empty() && !track.source.profile.empty());
  auto again = parse_hevc_config(track.record);
  require(bool(again) && again.value().nal_length_size == 4);
  require(again.value().track().record == track.record);
  require(again.value().track().same_source(track));
  require(again.value().sets == config.value().sets);
  return 0;
}
