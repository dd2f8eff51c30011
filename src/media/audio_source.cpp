#include "media/audio_source.hpp"

#include <algorithm>
#include <utility>

#include "media/aac_config.hpp"
#include "media/ac3_config.hpp"
#include "media/flac_config.hpp"
#include "media/opus_config.hpp"

namespace recording::media {
namespace {

using Described = Result<std::optional<TrackConfig>>;

// An access unit of E-AC-3 has at most 8 programs of a few KiB.
constexpr std::size_t kLongestAccessUnit = 65536;

Bytes front_of(Pieces frame, std::size_t size) {
  Bytes front;
  PieceReader in(frame);
  in.copy(std::min<std::uint64_t>(size, in.left()), front);
  return front;
}

Described described(Result<TrackConfig> config) {
  if (!config) {
    return std::move(config).error();
  }
  return std::optional(std::move(config).value());
}

}  // namespace

Described AudioSource::describe(Codec codec, ByteView record) {
  switch (codec) {
    case Codec::kAac:
      return described(parse_aac_config(record));
    case Codec::kOpus:
      return described(record.size() == 1 ? opus_config_of(record[0]) : parse_opus_head(record));
    case Codec::kFlac:
      return described(parse_flac_header(record));
    default:
      return std::optional<TrackConfig>();
  }
}

std::optional<TrackConfig> AudioSource::take_frame(Codec codec, Pieces frame) {
  const bool ac3 = codec == Codec::kAc3;
  if (codec != Codec::kMp3 && !ac3 && codec != Codec::kEac3) {
    codec_ = codec;
    return std::nullopt;
  }
  // Four bytes that hold all that matters and little that differs from frame to frame.
  PieceReader in(frame);
  in.skip(codec == Codec::kMp3 ? 0 : ac3 ? 4 : 2);
  const std::uint32_t signature = in.u32();
  if (!in.ok() || (codec_ == codec && signature_ == signature)) {
    return std::nullopt;
  }
  Result<TrackConfig> config = codec == Codec::kMp3 ? parse_mp3_frame(front_of(frame, 4))
                               : ac3                ? parse_ac3_frame(front_of(frame, kAc3Head))
                                     : parse_eac3_access_unit(front_of(frame, kLongestAccessUnit));
  if (!config) {
    return std::nullopt;
  }
  codec_ = codec;
  signature_ = signature;
  return std::move(config).value();
}

}  // namespace recording::media
