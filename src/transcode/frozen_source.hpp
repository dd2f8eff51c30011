#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/codec.hpp"
#include "media/frame_rate.hpp"
#include "media/source_parameters.hpp"

namespace recording::transcode {

// Where a frozen value came from. Stored in the live state: renumber with its layout version.
enum class Origin : std::uint8_t {
  kNotKnown = 0,
  kMetadata = 1,       // onMetaData
  kConfiguration = 2,  // the decoded codec configuration
  kTimestamps = 3,     // what the first second of media showed
  kDefault = 4         // nobody said it
};
const char* origin_name(Origin origin);  // "onMetaData", "configuration", …

template <class T>
struct Frozen {
  T value{};
  Origin origin = Origin::kNotKnown;
  bool operator==(const Frozen&) const = default;
};

struct FrozenVideo {
  media::Codec codec = media::Codec::kNone;
  std::string rfc6381;                  // of the source itself: "avc1.64001f"
  Frozen<std::uint32_t> width, height;  // pixels after cropping
  std::uint32_t sar_num = 1, sar_den = 1;
  Frozen<std::string> pix_fmt;  // ffprobe's name; empty: not known
  Frozen<media::ColorRange> color_range;
  std::uint8_t color_primaries = media::kColorNotSaid;  // ITU-T H.273, of the configuration
  std::uint8_t color_transfer = media::kColorNotSaid;
  std::uint8_t color_space = media::kColorNotSaid;
  bool interlaced = false;
  Frozen<media::FrameRate> frame_rate;  // always known
  Frozen<std::int64_t> bps;             // 0: not known
  // Pictures come at that rate, so the source may be shown as it is; otherwise it is encoded anew
  // like every rendition.
  bool keeps_frame_rate = true;
};

struct FrozenAudio {
  media::Codec codec = media::Codec::kNone;
  std::string rfc6381;                // "mp4a.40.2"
  Frozen<std::uint32_t> sample_rate;  // Hz
  Frozen<std::uint16_t> channels;
  Frozen<std::int64_t> bps;  // 0: not known
};

// What a live session is built from: read once, when the encoder connects, and never again. A
// restarted ffmpeg gets the same. A value; immutable by being const wherever it goes. At least one
// track.
struct FrozenSource {
  std::optional<FrozenVideo> video;
  std::optional<FrozenAudio> audio;
  std::string encoder;  // as it calls itself; empty: it does not
};

}  // namespace recording::transcode
