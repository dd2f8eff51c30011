// Messages of a publisher: the tag header, then the access unit behind it, in pieces cut anywhere.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzz/require.hpp"
#include "media/flv_tag.hpp"
#include "media/key_frame.hpp"

namespace {

using recording::Bytes;
using recording::ByteView;

// A copy in as many allocations as there are pieces, so that the sanitizer sees each end.
struct Cut {
  Cut(ByteView bytes, std::size_t size) {
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      const ByteView piece = bytes.subspan(at, std::min(size, bytes.size() - at));
      parts.emplace_back(piece.begin(), piece.end());
    }
    for (Bytes& part : parts) {
      pieces.push_back({part.data(), part.size()});
    }
  }
  std::vector<Bytes> parts;
  std::vector<iovec> pieces;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording::media;
  if (size == 0) {
    return 0;
  }
  const std::size_t cut_size = data[0] % 16 + 1U;
  const ByteView message(data + 1, size - 1);
  const Cut cut(message, cut_size);
  const Cut whole(message, message.size() + 1);
  for (const bool video : {false, true}) {
    const TagHeader tag = video ? parse_video_tag(cut.pieces) : parse_audio_tag(cut.pieces);
    const TagHeader same = video ? parse_video_tag(whole.pieces) : parse_audio_tag(whole.pieces);
    require(tag.kind == same.kind && tag.codec == same.codec &&
            tag.header_size == same.header_size && tag.payload_size == same.payload_size);
    require(std::uint64_t{tag.header_size} + tag.payload_size <= message.size());
    if (tag.kind == TagKind::kSample || tag.kind == TagKind::kSequenceHeader) {
      require(kind_of(tag.codec) == (video ? TrackKind::kVideo : TrackKind::kAudio));
      require(tag.codec != Codec::kNone && tag.nanoseconds < 1000000);
      require(tag.payload_size > 0 || tag.codec == Codec::kOpus);
    }
  }
  const TemporalUnitLayout unit = inspect_temporal_unit(cut.pieces);
  require(unit.sets_at <= message.size());
  require(unit.sequence_header == inspect_temporal_unit(whole.pieces).sequence_header);
  const Codec codec = data[0] % 2 == 0 ? Codec::kAvc : Codec::kHevc;
  for (const std::uint8_t length_size : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{4}}) {
    const AccessUnitLayout layout = inspect_access_unit(codec, cut.pieces, length_size);
    const AccessUnitLayout same = inspect_access_unit(codec, whole.pieces, length_size);
    require(layout.sets_at == same.sets_at && layout.random_access == same.random_access &&
            layout.well_formed == same.well_formed && layout.sets == same.sets &&
            layout.slice == same.slice);
    require(layout.sets_at <= message.size());
    Bytes wide = widen_nal_lengths(cut.pieces, length_size);
    require(layout.well_formed || wide.empty() || !layout.sets.empty());
    if (!wide.empty()) {
      const iovec piece{wide.data(), wide.size()};
      const AccessUnitLayout again = inspect_access_unit(codec, {&piece, 1}, 4);
      require(again.well_formed == layout.well_formed &&
              again.random_access == layout.random_access && again.sets == layout.sets);
    }
  }
  return 0;
}
