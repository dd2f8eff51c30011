// A configuration record and a key frame: the record that they make says the same again.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "media/vp9_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording::media;
  const recording::ByteView bytes(data, size);
  const std::size_t cut = size == 0 ? 0 : std::min<std::size_t>(data[0] % 16, size);
  auto config = parse_vp9_config(bytes.first(cut));
  auto frame = parse_vp9_key_frame(bytes.subspan(cut));
  if (!frame) {
    return 0;
  }
  require(frame.value().width > 0 && frame.value().width <= 16384);
  require(frame.value().height > 0 && frame.value().height <= 16384);
  const TrackConfig track = (config ? config.value() : Vp9Config{}).track(frame.value());
  auto again = parse_vp9_config(track.record);
  require(bool(again) && again.value().track(frame.value()).record == track.record);
  require(again.value().track(frame.value()).same_source(track));
  return 0;
}
