#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "media/track_config.hpp"
#include "mp4/sample.hpp"

namespace recording::mp4 {

template <class T>
using PerTrack = std::array<T, media::kTrackKinds>;

constexpr std::size_t slot(media::TrackKind kind) { return static_cast<std::size_t>(kind); }
inline constexpr std::array kTrackOrder = {media::TrackKind::kVideo, media::TrackKind::kAudio};

// A track as one moov describes it. timescale and default_duration are fixed when the track enters
// the file: every fragment is read with the head's mdhd and trex, and with those of its epoch.
struct TrackSetup {
  media::TrackConfig config;
  std::uint32_t timescale = 0;         // of mdhd
  std::uint32_t default_duration = 0;  // of trex
};
using TrackSetups = PerTrack<std::optional<TrackSetup>>;

// The samples of one track in one fragment, wherever their bytes are.
struct RunView {
  media::TrackKind kind = media::TrackKind::kVideo;
  std::span<const Sample> samples;
  std::uint32_t last_duration = 0;

  // Inside a run a sample lasts until the next one begins.
  [[nodiscard]] std::uint32_t duration(std::size_t i) const {
    return i + 1 < samples.size() ? static_cast<std::uint32_t>(samples[i + 1].dts - samples[i].dts)
                                  : last_duration;
  }
  [[nodiscard]] std::int64_t end_dts() const { return samples.back().dts + last_duration; }
  // When the last of its pictures has been seen. The last one in decoding order may not be it.
  [[nodiscard]] std::int64_t end_pts() const {
    std::int64_t end = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      end = std::max(end, samples[i].dts + samples[i].cts + duration(i));
    }
    return end;
  }
  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const Sample& sample : samples) {
      sum += sample.size;
    }
    return sum;
  }
};

// Limits of what is written and believed when read. They keep every 32-bit field from overflowing
// (players take durations, composition offsets and data offsets for signed ones) and every
// allocation bounded.
inline constexpr std::size_t kMaxRunSamples = 65536;
inline constexpr std::uint64_t kMaxHeaderBox = 4U << 20;  // moof, or one of our uuid boxes
inline constexpr std::uint64_t kMaxMediaBytes =
    std::numeric_limits<std::int32_t>::max() - kMaxHeaderBox;
inline constexpr std::int64_t kMaxStep = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t kMaxDts = std::int64_t{1} << 52;

}  // namespace recording::mp4
