#include "transcode/source_probe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "media/codec_string.hpp"

namespace recording::transcode {
namespace {

using media::Codec;
using media::FrameRate;
using media::TagKind;
using media::TrackKind;

// Media that show whether pictures come as fast as is declared, and those that must say it alone.
constexpr std::int64_t kShortLookMs = 250;
constexpr std::int64_t kLongLookMs = 1000;
// A track that is announced and does not come keeps the others waiting for so long.
constexpr std::int64_t kLongestWaitMs = 3000;
// Media that no configuration has described for so long will not be any more.
constexpr std::int64_t kUndescribedMs = 10000;
// Faster pictures than that are declared by mistake; if they come, this is how fast they go on.
constexpr double kMostLiveRate = 120;
constexpr FrameRate kUsualRate{30, 1};
// Timestamps are whole milliseconds, and encoders have their jitter.
constexpr double kRateTolerance = 0.1;

std::string name_of(const media::TagHeader& tag) {
  if (tag.codec != Codec::kNone) {
    return std::string(media::codec_name(tag.codec));
  }
  return tag.codec_id > 0xFF ? "\"" + media::fourcc_text(tag.codec_id) + "\""
                             : "codec number " + std::to_string(tag.codec_id) + " of FLV";
}

// The usual rate that a second of timestamps shows.
FrameRate usual_rate(double shown) {
  static constexpr std::array<FrameRate, 19> kUsual = {{{5, 1},
                                                        {8, 1},
                                                        {10, 1},
                                                        {12, 1},
                                                        {25, 2},
                                                        {15, 1},
                                                        {20, 1},
                                                        {24000, 1001},
                                                        {24, 1},
                                                        {25, 1},
                                                        {30000, 1001},
                                                        {30, 1},
                                                        {48, 1},
                                                        {50, 1},
                                                        {60000, 1001},
                                                        {60, 1},
                                                        {90, 1},
                                                        {100, 1},
                                                        {120, 1}}};
  const auto distance = [shown](const FrameRate& rate) {
    return std::abs(rate.per_second() / shown - 1);
  };
  const FrameRate& nearest = *std::min_element(
      kUsual.begin(), kUsual.end(),
      [&](const FrameRate& a, const FrameRate& b) { return distance(a) < distance(b); });
  constexpr double kNear = 0.02;
  return distance(nearest) < kNear ? nearest : media::frame_rate_from(std::round(shown * 10) / 10);
}

bool is_live_rate(const FrameRate& rate) {
  return rate.known() && rate.per_second() <= kMostLiveRate;
}

}  // namespace

void SourceProbe::take_metadata(const media::FlvMetadata& metadata) {
  if (state_ == State::kProbing) {
    metadata_ = metadata;
  }
}

SourceProbe::State SourceProbe::take(const SourceMessage& message, const SourceIntake& intake,
                                     std::int64_t now_ms) {
  if (state_ != State::kProbing) {
    return state_;
  }
  began_ms_ = began_ms_ < 0 ? now_ms : began_ms_;
  if (message.tag.kind == TagKind::kUnsupported) {
    refuse(std::string(message.kind == TrackKind::kVideo ? "video" : "audio") + " in " +
           name_of(message.tag) +
           " is not transcoded live: publish H.264, HEVC, AV1 or VP9 with AAC, MP3, Opus, AC-3 or "
           "FLAC, or without sound");
    return state_;
  }
  if (message.decodable) {
    Track& track = tracks_[index_of(message.kind)];
    track.first_ms = track.samples == 0 ? message.ms : track.first_ms;
    track.last_ms = message.ms;
    track.bytes += message.size;
    ++track.samples;
  }
  if (is_complete(intake, now_ms)) {
    freeze(intake);
  } else if (now_ms - began_ms_ >= kUndescribedMs && intake.config(TrackKind::kVideo) == nullptr &&
             intake.config(TrackKind::kAudio) == nullptr) {
    refuse(
        "media come without a codec configuration, which no decoder can do without: reconnect "
        "the encoder");
  }
  return state_;
}

bool SourceProbe::is_expected(TrackKind kind) const {
  return metadata_ && (kind == TrackKind::kVideo ? metadata_->video_codec_id.has_value()
                                                 : metadata_->audio_codec_id.has_value());
}

std::int64_t SourceProbe::seen_ms() const {
  std::int64_t seen = 0;
  for (const Track& track : tracks_) {
    seen = std::max(seen, track.last_ms - track.first_ms);
  }
  return seen;
}

// Described, and of which media have come: ffmpeg begins when it has some of each track.
const media::TrackConfig* SourceProbe::heard(const SourceIntake& intake, TrackKind kind) const {
  return tracks_[index_of(kind)].samples > 0 ? intake.config(kind) : nullptr;
}

bool SourceProbe::is_complete(const SourceIntake& intake, std::int64_t now_ms) const {
  const media::TrackConfig* video = heard(intake, TrackKind::kVideo);
  const media::TrackConfig* audio = heard(intake, TrackKind::kAudio);
  if (video == nullptr && audio == nullptr) {
    return false;
  }
  if (now_ms - began_ms_ >= kLongestWaitMs) {
    return true;
  }
  if ((is_expected(TrackKind::kVideo) && video == nullptr) ||
      (is_expected(TrackKind::kAudio) && audio == nullptr)) {
    return false;
  }
  const bool announced = is_expected(TrackKind::kVideo) || is_expected(TrackKind::kAudio);
  if (video == nullptr) {
    return announced || seen_ms() >= kLongLookMs;
  }
  const bool rate_is_said =
      (metadata_ && metadata_->frame_rate) || video->source.frame_rate_milli != 0;
  const Track& pictures = tracks_[index_of(TrackKind::kVideo)];
  return pictures.last_ms - pictures.first_ms >=
         (announced && rate_is_said ? kShortLookMs : kLongLookMs);
}

void SourceProbe::refuse(std::string why) {
  state_ = State::kRefused;
  refusal_ = std::move(why);
}

// Pictures a second that have come; 0: too few to say.
double SourceProbe::rate_shown() const {
  const Track& pictures = tracks_[index_of(TrackKind::kVideo)];
  const std::int64_t lasted = pictures.last_ms - pictures.first_ms;
  return pictures.samples < 2 || lasted <= 0
             ? 0
             : static_cast<double>(pictures.samples - 1) * 1000 / static_cast<double>(lasted);
}

// What a track's media come to so far; nothing as long as that says little.
Frozen<std::int64_t> SourceProbe::bit_rate(TrackKind kind,
                                           std::optional<std::int64_t> declared) const {
  if (declared) {
    return {*declared, Origin::kMetadata};
  }
  const Track& track = tracks_[index_of(kind)];
  const std::int64_t lasted = track.last_ms - track.first_ms;
  if (lasted < kLongLookMs * 9 / 10) {
    return {};
  }
  return {static_cast<std::int64_t>(track.bytes) * 8000 / lasted, Origin::kTimestamps};
}

Frozen<FrameRate> SourceProbe::frame_rate(const media::TrackConfig& config) const {
  if (metadata_ && metadata_->frame_rate) {
    if (const FrameRate rate = media::frame_rate_from(*metadata_->frame_rate); is_live_rate(rate)) {
      return {rate, Origin::kMetadata};
    }
  }
  const FrameRate said = media::frame_rate_from(config.source.frame_rate_milli / 1000.0);
  if (is_live_rate(said)) {
    return {said, Origin::kConfiguration};
  }
  const double shown = std::min(rate_shown(), kMostLiveRate);
  if (const FrameRate rate = shown > 0 ? usual_rate(shown) : FrameRate(); rate.known()) {
    return {rate, Origin::kTimestamps};
  }
  return {kUsualRate, Origin::kDefault};
}

FrozenVideo SourceProbe::freeze_video(const media::TrackConfig& config) const {
  const media::SourceParameters& source = config.source;
  FrozenVideo video;
  video.codec = config.codec;
  video.rfc6381 = media::codec_string(config);
  video.width = {source.width, Origin::kConfiguration};
  video.height = {source.height, Origin::kConfiguration};
  video.sar_num = source.sar_num;
  video.sar_den = source.sar_den;
  video.pix_fmt = {source.pix_fmt, Origin::kConfiguration};
  video.color_range = {source.color_range, source.color_range == media::ColorRange::kNotSaid
                                               ? Origin::kDefault
                                               : Origin::kConfiguration};
  video.color_primaries = source.color_primaries;
  video.color_transfer = source.color_transfer;
  video.color_space = source.color_space;
  video.interlaced = source.interlaced;
  video.frame_rate = frame_rate(config);
  video.bps =
      bit_rate(TrackKind::kVideo, metadata_ ? metadata_->video_bps : std::optional<std::int64_t>());
  video.keeps_frame_rate =
      rate_shown() <= video.frame_rate.value.per_second() * (1 + kRateTolerance);
  return video;
}

FrozenAudio SourceProbe::freeze_audio(const media::TrackConfig& config) const {
  FrozenAudio audio;
  audio.codec = config.codec;
  audio.rfc6381 = media::codec_string(config);
  audio.sample_rate = {config.source.sample_rate, Origin::kConfiguration};
  audio.channels = {config.source.channels, Origin::kConfiguration};
  audio.bps =
      bit_rate(TrackKind::kAudio, metadata_ ? metadata_->audio_bps : std::optional<std::int64_t>());
  return audio;
}

void SourceProbe::freeze(const SourceIntake& intake) {
  if (const media::TrackConfig* video = heard(intake, TrackKind::kVideo)) {
    constexpr std::uint32_t kSmallestSide = 16;  // a macroblock: ITU-T H.264, 6.3
    if (video->source.width < kSmallestSide || video->source.height < kSmallestSide) {
      return refuse("pictures of " + std::to_string(video->source.width) + "x" +
                    std::to_string(video->source.height) + " are too small to be transcoded");
    }
    frozen_.video = freeze_video(*video);
  }
  if (const media::TrackConfig* audio = heard(intake, TrackKind::kAudio)) {
    frozen_.audio = freeze_audio(*audio);
  }
  if (metadata_ && metadata_->encoder) {
    frozen_.encoder = *metadata_->encoder;
  }
  state_ = State::kReady;
}

}  // namespace recording::transcode
