#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "transcode/frozen_source.hpp"
#include "transcode/settings.hpp"

#include "cmocka.hpp"

namespace recording::test {

inline transcode::FrozenVideo frozen_video(std::uint32_t width, std::uint32_t height,
                                           media::FrameRate rate = {30, 1}) {
  using transcode::Origin;
  transcode::FrozenVideo video;
  video.codec = media::Codec::kAvc;
  video.rfc6381 = "avc1.64001f";
  video.width = {width, Origin::kConfiguration};
  video.height = {height, Origin::kConfiguration};
  video.pix_fmt = {"yuv420p", Origin::kConfiguration};
  video.frame_rate = {rate, Origin::kMetadata};
  return video;
}

inline transcode::FrozenAudio frozen_audio() {
  using transcode::Origin;
  transcode::FrozenAudio audio;
  audio.codec = media::Codec::kAac;
  audio.rfc6381 = "mp4a.40.2";
  audio.sample_rate = {48000, Origin::kConfiguration};
  audio.channels = {2, Origin::kConfiguration};
  return audio;
}

inline transcode::FrozenSource frozen_source(std::uint32_t width, std::uint32_t height,
                                             media::FrameRate rate = {30, 1}) {
  transcode::FrozenSource source;
  source.video = frozen_video(width, height, rate);
  source.audio = frozen_audio();
  return source;
}

// The value behind an option; empty: it is not there.
inline std::string option(const std::vector<std::string>& arguments, const std::string& name) {
  const auto at = std::find(arguments.begin(), arguments.end(), name);
  return at == arguments.end() || at + 1 == arguments.end() ? std::string() : *(at + 1);
}

}  // namespace recording::test
