#include "transcode/drift.hpp"

#include <cmath>
#include <string_view>

#include "media/color_names.hpp"

namespace recording::transcode {
namespace {

using media::ParameterValue;

// Frame rates that are the same for all that a viewer sees.
constexpr double kSameRate = 0.05;
// How long a value must be otherwise before it is told.
constexpr std::int64_t kSettledMs = 2000;

struct Pair {
  const char* name;
  ParameterValue frozen, measured;
  bool differs;
};

ParameterValue positive(std::uint32_t value) {
  return value == 0 ? ParameterValue() : ParameterValue(std::int64_t{value});
}
ParameterValue range(media::ColorRange value) {
  const std::string_view name = media::color_range_name(value);
  return name.empty() ? ParameterValue() : ParameterValue(std::string(name));
}
// What is measured by timestamps of whole milliseconds is off by some thousandths.
double rounded(double rate) {
  constexpr double kOff = 0.0005;
  const double whole = std::round(rate);
  return std::abs(rate / whole - 1) < kOff ? whole : std::round(rate * 100) / 100;
}

Pair rate_pair(const FrozenSource& frozen, const Measured& now) {
  if (!frozen.video || now.rate_5s <= 0) {
    return {"frame_rate", {}, {}, false};
  }
  const double rate = frozen.video->frame_rate.value.per_second();
  return {"frame_rate", rounded(rate), rounded(now.rate_5s),
          std::abs(now.rate_5s / rate - 1) > kSameRate};
}

template <class Value>
Pair plain(const char* name, bool known, Value frozen, Value measured) {
  const bool differs = known && frozen != measured;
  return {name, std::move(frozen), std::move(measured), differs};
}

Pair track_pair(const char* name, media::Codec frozen, media::Codec now) {
  const auto text = [](media::Codec codec) {
    return codec == media::Codec::kNone ? ParameterValue()
                                        : ParameterValue(std::string(media::codec_name(codec)));
  };
  return {name, text(frozen), text(now), frozen != now};
}

Pair compare(DriftField field, const FrozenSource& frozen, const Measured& now) {
  static const FrozenVideo kNoVideo;
  static const FrozenAudio kNoAudio;
  const FrozenVideo& video = frozen.video ? *frozen.video : kNoVideo;
  const FrozenAudio& audio = frozen.audio ? *frozen.audio : kNoAudio;
  const bool pictures = frozen.video && now.video_codec != media::Codec::kNone;
  const bool sound = frozen.audio && now.audio_codec != media::Codec::kNone;
  switch (field) {
    case DriftField::kFrameRate:
      return rate_pair(frozen, now);
    case DriftField::kWidth:
      return plain("width", pictures, positive(video.width.value), positive(now.width));
    case DriftField::kHeight:
      return plain("height", pictures, positive(video.height.value), positive(now.height));
    case DriftField::kPixFmt:
      return plain("pix_fmt", pictures, ParameterValue(video.pix_fmt.value),
                   ParameterValue(now.pix_fmt));
    case DriftField::kColorRange:
      return plain("color_range", pictures, range(video.color_range.value), range(now.color_range));
    case DriftField::kSampleRate:
      return plain("sample_rate", sound, positive(audio.sample_rate.value),
                   positive(now.sample_rate));
    case DriftField::kChannels:
      return plain("channels", sound, positive(audio.channels.value), positive(now.channels));
    case DriftField::kVideo:
      return track_pair("video_codec", video.codec, now.video_codec);
    case DriftField::kAudio:
      return track_pair("audio_codec", audio.codec, now.audio_codec);
  }
  return {"", {}, {}, false};
}

std::string words(const ParameterValue& value) {
  return std::holds_alternative<std::monostate>(value) ? "nothing" : media::value_in_words(value);
}

std::string advice(DriftField field, const Pair& pair, const FrozenSource& frozen) {
  const std::string was = words(pair.frozen), is = words(pair.measured);
  switch (field) {
    case DriftField::kFrameRate: {
      const std::string told = "the session was built for " + was + " fps; the encoder now sends " +
                               is + "; reconnect the encoder to apply";
      return frozen.video->frame_rate.origin == Origin::kMetadata
                 ? told + " (" + was + " is what it declared in onMetaData: make it declare what " +
                       "it sends)"
                 : told;
    }
    case DriftField::kVideo:
    case DriftField::kAudio:
      return "the session was built with " + std::string(pair.name) + " " + was +
             "; the encoder now sends " + is + "; reconnect the encoder to apply";
    default:
      return "the session was built for " + std::string(pair.name) + " " + was +
             "; the encoder now sends " + is +
             ", which live playback brings to the former; reconnect the encoder to apply";
  }
}

std::uint32_t bit(int field) { return 1U << field; }

}  // namespace

std::vector<Drift> drifts_of(const FrozenSource& frozen, const Measured& measured,
                             std::uint32_t fields) {
  std::vector<Drift> drifts;
  for (int i = 0; i < kDriftFields; ++i) {
    if ((fields & bit(i)) != 0) {
      const auto field = static_cast<DriftField>(i);
      const Pair pair = compare(field, frozen, measured);
      drifts.push_back({pair.name, pair.frozen, pair.measured, advice(field, pair, frozen)});
    }
  }
  return drifts;
}

bool DriftWatch::look(const FrozenSource& frozen, const Measured& measured, std::int64_t now_ms) {
  bool changed = false;
  for (int i = 0; i < kDriftFields; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const Pair pair = compare(static_cast<DriftField>(i), frozen, measured);
    const bool told = (fields_ & bit(i)) != 0;
    bool same = pair.differs == told;
    if (same && told) {
      // Drifted on: another value than was told.
      const auto* before = std::get_if<double>(&told_[index]);
      const auto* now = std::get_if<double>(&pair.measured);
      same = before != nullptr && now != nullptr ? std::abs(*now / *before - 1) <= kSameRate
                                                 : told_[index] == pair.measured;
    }
    if (same) {
      since_ms_[index] = 0;
      continue;
    }
    if (since_ms_[index] == 0) {
      since_ms_[index] = now_ms;
    }
    if (now_ms - since_ms_[index] >= kSettledMs) {
      fields_ = pair.differs ? fields_ | bit(i) : fields_ & ~bit(i);
      told_[index] = pair.measured;
      since_ms_[index] = 0;
      changed = true;
    }
  }
  return changed;
}

}  // namespace recording::transcode
