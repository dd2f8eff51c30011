// Headers and frames of any codec, one after the other, as a publisher may send them: what is
// described has the codec that it came with, and can be stored and read back.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fuzz/require.hpp"
#include "media/audio_source.hpp"
#include "media/video_source.hpp"

namespace {

using namespace recording;

void check(const media::TrackConfig& config, media::Codec codec) {
  require(config.codec == codec && config.timescale != 0);
  media::TrackConfig again;
  require(media::decode(media::encode(config), again));
  require(again.same_source(config) && again.record == config.record);
}

void hear(media::AudioSource& source, media::Codec codec, bool header, const Bytes& bytes,
          const iovec& piece) {
  if (!header) {
    if (const auto config = source.take_frame(codec, {&piece, 1})) {
      check(*config, codec);
    }
    return;
  }
  auto config = media::AudioSource::describe(codec, bytes);
  if (!config) {
    require(!config.error().message.empty());
  } else if (config.value()) {
    check(*config.value(), codec);
  }
}

void see(media::VideoSource& source, media::Codec codec, bool header, const Bytes& bytes,
         const iovec& piece) {
  if (header) {
    auto status = source.announce(bytes);
    require(bool(status) || !status.error().message.empty());
  } else {
    const auto arrangement = source.take_key_frame({&piece, 1});
    require(arrangement.insert.empty() || arrangement.at <= bytes.size());
  }
  if (source.track().codec != media::Codec::kNone) {
    check(source.track(), codec);
  }
  const int length = source.nal_length_size();
  require(length == 1 || length == 2 || length == 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView rest(data, size);
  if (rest.empty()) {
    return 0;
  }
  constexpr media::Codec kVideo[] = {media::Codec::kAvc, media::Codec::kHevc, media::Codec::kAv1,
                                     media::Codec::kVp9};
  const media::Codec video_codec = kVideo[rest[0] % 4];
  const auto video = media::make_video_source(video_codec);
  media::AudioSource audio;
  rest = rest.subspan(1);
  while (rest.size() >= 3) {  // what it is, how long it is, and that
    const auto codec = static_cast<media::Codec>(rest[0] % 11);
    const bool header = (rest[0] & 0x80) != 0;
    const std::size_t length =
        std::min<std::size_t>(rest.size() - 3, std::size_t{rest[1]} << 8 | rest[2]);
    Bytes bytes(rest.begin() + 3, rest.begin() + 3 + static_cast<std::ptrdiff_t>(length));
    rest = rest.subspan(3 + length);
    const iovec piece{bytes.data(), bytes.size()};
    if (media::kind_of(codec) == media::TrackKind::kVideo) {
      see(*video, video_codec, header, bytes, piece);
    } else {
      hear(audio, codec, header, bytes, piece);
    }
  }
  return 0;
}
