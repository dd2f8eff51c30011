#include "transcode/measurement.hpp"

#include <algorithm>
#include <cmath>

namespace recording::transcode {
namespace {

using media::TrackKind;

// Less media says little about a rate.
constexpr std::int64_t kShortestMs = 2000;
// Without pictures for longer the rate falls; before it they are only late.
constexpr std::int64_t kLateMs = 1000;
// A track of which nothing comes for so long, while the other one goes on, is not there any more.
constexpr std::int64_t kGoneMs = 10000;

std::int64_t bits_per_second(std::uint64_t bytes, std::int64_t ms) {
  return std::llround(static_cast<double>(bytes) * 8000 / static_cast<double>(ms));
}

}  // namespace

void Measurement::take(const SourceMessage& message) {
  if (!message.decodable) {
    return;
  }
  first_ms_ = first_ms_ < 0 ? message.ms : first_ms_;
  latest_ms_ = std::max(latest_ms_, message.ms);
  last_ms_[static_cast<std::size_t>(message.kind)] = message.ms;
  const std::int64_t number = message.ms / 1000;
  Second& second = seconds_[static_cast<std::size_t>(number) % kSeconds];
  if (second.number > number) {
    return;  // a track that is a minute behind the other one
  }
  if (second.number != number) {
    second = {};
    second.number = number;
  }
  if (message.kind == TrackKind::kAudio) {
    second.audio_bytes += message.size;
    return;
  }
  second.first_ms = second.pictures == 0 ? message.ms : second.first_ms;
  ++second.pictures;
  second.video_bytes += message.size;
  if (message.tag.key) {
    key_interval_ms_ = key_ms_ >= 0 ? message.ms - key_ms_ : 0;
    key_ms_ = message.ms;
  }
}

// The last so many whole seconds, and what there is of the one that goes on.
Measurement::Window Measurement::over(std::int64_t seconds) const {
  Window window;
  const std::int64_t oldest = latest_ms_ / 1000 - seconds;
  std::int64_t pictures = 0, first_picture_ms = latest_ms_;
  std::uint64_t video_bytes = 0, audio_bytes = 0;
  for (const Second& second : seconds_) {
    if (second.number < 0 || second.number < oldest) {
      continue;
    }
    video_bytes += second.video_bytes;
    audio_bytes += second.audio_bytes;
    pictures += second.pictures;
    if (second.pictures > 0) {
      first_picture_ms = std::min(first_picture_ms, second.first_ms);
    }
  }
  const std::int64_t lasted = latest_ms_ - std::max(first_ms_, oldest * 1000);
  if (first_ms_ < 0 || lasted < kShortestMs) {
    return window;
  }
  window.video_bps = bits_per_second(video_bytes, lasted);
  window.audio_bps = bits_per_second(audio_bytes, lasted);
  const std::int64_t shown = std::max(last_ms_[0], latest_ms_ - kLateMs) - first_picture_ms;
  if (pictures > 1 && shown >= kShortestMs) {
    window.rate = static_cast<double>(pictures - 1) * 1000 / static_cast<double>(shown);
  }
  return window;
}

bool Measurement::comes(TrackKind kind) const {
  const std::int64_t last = last_ms_[static_cast<std::size_t>(kind)];
  return last >= 0 && latest_ms_ - last < kGoneMs;
}

Measured Measurement::read(const SourceIntake& intake) const {
  constexpr std::int64_t kShort = 5, kLong = 60;
  Measured measured;
  const Window recent = over(kShort);
  const Window minute = over(kLong);
  measured.rate_5s = recent.rate;
  measured.rate_60s = minute.rate;
  measured.video_bps = recent.video_bps;
  measured.audio_bps = recent.audio_bps;
  measured.video_bps_60s = minute.video_bps;
  measured.key_interval_ms = key_interval_ms_;
  const media::TrackConfig* video = intake.config(TrackKind::kVideo);
  if (video != nullptr && comes(TrackKind::kVideo)) {
    measured.video_codec = video->codec;
    measured.width = video->source.width;
    measured.height = video->source.height;
    measured.pix_fmt = video->source.pix_fmt;
    measured.color_range = video->source.color_range;
  }
  const media::TrackConfig* audio = intake.config(TrackKind::kAudio);
  if (audio != nullptr && comes(TrackKind::kAudio)) {
    measured.audio_codec = audio->codec;
    measured.sample_rate = audio->source.sample_rate;
    measured.channels = audio->source.channels;
  }
  return measured;
}

}  // namespace recording::transcode
