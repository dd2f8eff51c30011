#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "media/codec.hpp"

namespace recording::media {

// What a decoder must know before the first sample of a track, decoded from the codec's own
// configuration record. A value: copied between threads, compared to find a change.
struct TrackConfig {
  Codec codec = Codec::kNone;
  std::uint32_t timescale = 0;  // ticks a second: 120000 for video, the sample rate for audio
  std::uint32_t default_duration = 0;  // ticks; what most samples last; 0: not known (video)
  Bytes
      record;  // AVCDecoderConfigurationRecord with 4-byte NAL lengths (ISO/IEC 14496-15, 5.3.3.1),
               // or AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1); empty for MP3
  std::uint32_t width = 0, height = 0;     // video: pixels after cropping
  std::uint32_t sar_num = 1, sar_den = 1;  // video: sample aspect ratio
  std::uint32_t sample_rate = 0;           // audio: Hz
  std::uint16_t channels = 0;              // audio

  // default_duration is a prediction, not a property of the source.
  [[nodiscard]] bool same_source(const TrackConfig& other) const {
    return codec == other.codec && timescale == other.timescale && record == other.record &&
           sample_rate == other.sample_rate && channels == other.channels;
  }
};

inline constexpr std::uint32_t kVideoTimescale = 120000;  // exact for ms and for 23.976 … 60 fps

}  // namespace recording::media
