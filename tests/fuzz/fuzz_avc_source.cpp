// An encoder's headers and key frames, cut anywhere: what a key frame gets is in its place and not
// too much, and with it a decoder that knew nothing has all that is in force.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzz/require.hpp"
#include "media/avc_config.hpp"
#include "media/avc_source.hpp"

namespace {

using namespace recording;

void check_key_frame(media::VideoSource& source, Bytes sample) {
  const iovec piece{sample.data(), sample.size()};
  const auto arranged = source.take_key_frame({&piece, 1});
  require(arranged.at <= sample.size() && arranged.insert.size() < 70000);
  const media::TrackConfig& track = source.track();
  require(track.source.width > 0 && track.source.width <= 16384);
  require(bool(media::parse_avc_config(track.record)));
  if (arranged.insert.empty()) {
    return;
  }
  sample.insert(sample.begin() + static_cast<std::ptrdiff_t>(arranged.at), arranged.insert.begin(),
                arranged.insert.end());
  const iovec whole{sample.data(), sample.size()};
  if (media::inspect_access_unit(media::Codec::kAvc, {&whole, 1}, 4).well_formed) {
    require(source.take_key_frame({&whole, 1}).insert.empty());
  }
}

}  // namespace

// Messages: a length of two bytes, whose highest bit says that it is a header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto source = media::make_avc_source();
  bool known = false;
  for (ByteReader in(ByteView(data, size)); in.left() > 2;) {
    const std::uint16_t head = in.u16();
    const ByteView message = in.bytes(std::min<std::size_t>(head & 0x7FFF, in.left()));
    if ((head & 0x8000) != 0) {
      known = bool(source->announce(message)) || known;
    } else if (known) {
      check_key_frame(*source, Bytes(message.begin(), message.end()));
    }
  }
  return 0;
}
