#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "media/source_parameters.hpp"
#include "transcode/source_intake.hpp"

namespace recording::transcode {

// What comes in now. 0 and empty: not known (yet), or no such track.
struct Measured {
  double rate_5s = 0, rate_60s = 0;           // frames a second
  std::int64_t video_bps = 0, audio_bps = 0;  // over the last 5 s
  std::int64_t video_bps_60s = 0;
  std::int64_t key_interval_ms = 0;  // between the last two key frames
  media::Codec video_codec = media::Codec::kNone, audio_codec = media::Codec::kNone;
  std::uint32_t width = 0, height = 0;
  std::string pix_fmt;
  media::ColorRange color_range = media::ColorRange::kNotSaid;
  std::uint32_t sample_rate = 0;
  std::uint16_t channels = 0;
};

// Measures one session as its messages come. Windows are of media time, so a stall of the network
// changes no rate; one of the media does. Event loop only; adds a message in a few instructions and
// without an allocation.
class Measurement {
 public:
  void take(const SourceMessage& message);

  // `intake` has given the messages. Allocates for pix_fmt: for some times a second.
  [[nodiscard]] Measured read(const SourceIntake& intake) const;

 private:
  struct Second {
    std::int64_t number = -1;  // ms / 1000; -1: unused
    std::uint32_t pictures = 0;
    std::int64_t first_ms = 0;  // of the pictures
    std::uint64_t video_bytes = 0, audio_bytes = 0;
  };
  struct Window {
    double rate = 0;
    std::int64_t video_bps = 0, audio_bps = 0;
  };
  [[nodiscard]] bool comes(media::TrackKind kind) const;
  [[nodiscard]] Window over(std::int64_t seconds) const;

  static constexpr std::size_t kSeconds = 64;
  std::array<Second, kSeconds> seconds_;
  std::int64_t first_ms_ = -1, latest_ms_ = 0;
  std::array<std::int64_t, media::kTrackKinds> last_ms_{-1, -1};
  std::int64_t key_ms_ = -1, key_interval_ms_ = 0;
};

}  // namespace recording::transcode
