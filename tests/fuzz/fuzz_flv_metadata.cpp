// onMetaData of an encoder: any bytes give fields that are possible, or none.
#include <cstddef>
#include <cstdint>

#include "base/strings.hpp"
#include "fuzz/require.hpp"
#include "media/flv_metadata.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording::media;
  const auto found = parse_metadata({data, size});
  if (!found) {
    return 0;
  }
  require(!found->frame_rate || frame_rate_from(*found->frame_rate).known());
  require(!found->width || (*found->width >= 1 && *found->width <= 16384));
  require(!found->height || (*found->height >= 1 && *found->height <= 16384));
  require(!found->video_bps || *found->video_bps > 0);
  require(!found->audio_bps || *found->audio_bps > 0);
  require(!found->channels || (*found->channels >= 1 && *found->channels <= 255));
  require(!found->encoder ||
          (found->encoder->size() <= 128 && recording::is_valid_utf8(*found->encoder)));
  require(found->rejected.size() <= 8);
  return 0;
}
