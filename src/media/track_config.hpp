#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "media/codec.hpp"
#include "media/source_parameters.hpp"

namespace recording::media {

// What a decoder must know before the first sample of a track, decoded from the codec's own
// configuration record. A value: copied between threads, compared to find a change.
struct TrackConfig {
  Codec codec = Codec::kNone;
  std::uint32_t timescale = 0;  // ticks a second: 120000 for video, the sample rate for audio
  std::uint32_t default_duration = 0;  // ticks; what most samples last; 0: not known (video)
  // What is in the sample entry: the AVCDecoderConfigurationRecord or
  // HEVCDecoderConfigurationRecord with 4-byte NAL lengths (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1),
  // the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), nothing for MP3, else the payload of av1C,
  // vpcC, dOps, dac3, dec3 or dfLa (without version and flags).
  Bytes record;
  // What a decoder must be told beyond `source`, and no sample brings along: a change of it needs
  // another sample entry. In a form in which equal settings are equal bytes. Empty where all key
  // frames carry it (parameter sets in-band).
  Bytes decoder_setup;
  SourceParameters source;

  // Neither `record`, whose bytes say more than matters, nor default_duration, a prediction, is a
  // property of the source.
  [[nodiscard]] bool same_source(const TrackConfig& other) const {
    return codec == other.codec && timescale == other.timescale && source == other.source &&
           decoder_setup == other.decoder_setup;
  }
};

// As it is stored in a recording's file and in the journal: docs/file-format.md, "Configuration".
Bytes encode(const TrackConfig& config);
// False: it is none. Codec::kNone is none.
[[nodiscard]] bool decode(ByteView bytes, TrackConfig& config);

inline constexpr std::uint32_t kVideoTimescale = 120000;  // exact for ms and for 23.976 … 60 fps

}  // namespace recording::media
