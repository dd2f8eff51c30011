#include "transcode/playback_record.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace recording::transcode {
namespace {

using runtime::FrozenRecord;
using runtime::LiveState;
using runtime::SourceFacts;
using runtime::StreamRecord;

template <class Number>
std::uint32_t bounded(Number value) {
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  return value <= 0                            ? 0
         : static_cast<double>(value) >= kMost ? kMost
                                               : static_cast<std::uint32_t>(value);
}
// What happened stands at the beginning of an error, and why at its end.
std::string shortened(const std::string& text, std::size_t most) {
  constexpr std::string_view kLeftOut = " ... ";
  if (text.size() <= most) {
    return text;
  }
  const auto is_inside = [&text](std::size_t at) { return (text[at] & 0xC0) == 0x80; };  // UTF-8
  std::size_t head = most / 3, tail = text.size() - (most - most / 3 - kLeftOut.size());
  while (head > 0 && is_inside(head)) {
    --head;
  }
  while (tail < text.size() && is_inside(tail)) {
    ++tail;
  }
  return text.substr(0, head) + std::string(kLeftOut) + text.substr(tail);
}

std::uint32_t milli(double value) { return bounded(value * 1000 + 0.5); }

std::uint16_t side(std::uint32_t pixels) {  // at most media::kMaxPictureSide
  return static_cast<std::uint16_t>(std::min(pixels, 65535U));
}

std::uint8_t code(Origin origin) { return static_cast<std::uint8_t>(origin); }
// What another process wrote may be anything.
Origin origin_of(std::uint8_t code) {
  return code <= static_cast<std::uint8_t>(Origin::kDefault) ? static_cast<Origin>(code)
                                                             : Origin::kNotKnown;
}
media::Codec codec_of(std::uint8_t code) {
  const auto codec = static_cast<media::Codec>(code);
  return media::is_codec(codec) ? codec : media::Codec::kNone;
}
media::ColorRange range_of(std::uint8_t code) {
  return code <= 2 ? static_cast<media::ColorRange>(code) : media::ColorRange::kNotSaid;
}

bool operator==(const SourceFacts& a, const SourceFacts& b) {
  return a.video_codec == b.video_codec && a.audio_codec == b.audio_codec && a.width == b.width &&
         a.height == b.height && a.pix_fmt.view() == b.pix_fmt.view() &&
         a.color_range == b.color_range && a.sample_rate == b.sample_rate &&
         a.channels == b.channels;
}

}  // namespace

FrozenRecord to_record(const FrozenSource& source) {
  FrozenRecord record;
  SourceFacts& facts = record.facts;
  if (const auto& video = source.video) {
    facts.video_codec = static_cast<std::uint8_t>(video->codec);
    facts.width = side(video->width.value);
    facts.height = side(video->height.value);
    record.size_from = code(video->width.origin);
    facts.pix_fmt.assign(video->pix_fmt.value);
    record.pix_fmt_from = code(video->pix_fmt.origin);
    facts.color_range = static_cast<std::uint8_t>(video->color_range.value);
    record.range_from = code(video->color_range.origin);
    record.rate_num = video->frame_rate.value.num;
    record.rate_den = video->frame_rate.value.den;
    record.rate_from = code(video->frame_rate.origin);
    record.video_bps = bounded(video->bps.value);
    record.video_bps_from = code(video->bps.origin);
  }
  if (const auto& audio = source.audio) {
    facts.audio_codec = static_cast<std::uint8_t>(audio->codec);
    facts.sample_rate = audio->sample_rate.value;
    facts.channels = audio->channels.value;
    record.audio_from = code(audio->sample_rate.origin);
    record.audio_bps = bounded(audio->bps.value);
    record.audio_bps_from = code(audio->bps.origin);
  }
  record.encoder.assign(source.encoder);
  return record;
}

SourceFacts facts_of(const Measured& measured) {
  SourceFacts facts;
  facts.video_codec = static_cast<std::uint8_t>(measured.video_codec);
  facts.audio_codec = static_cast<std::uint8_t>(measured.audio_codec);
  facts.width = side(measured.width);
  facts.height = side(measured.height);
  facts.pix_fmt.assign(measured.pix_fmt);
  facts.color_range = static_cast<std::uint8_t>(measured.color_range);
  facts.sample_rate = measured.sample_rate;
  facts.channels = measured.channels;
  return facts;
}

FrozenSource frozen_from(const FrozenRecord& record) {
  FrozenSource source;
  const SourceFacts& facts = record.facts;
  if (const media::Codec codec = codec_of(facts.video_codec); codec != media::Codec::kNone) {
    FrozenVideo video;
    video.codec = codec;
    video.width = {facts.width, origin_of(record.size_from)};
    video.height = {facts.height, origin_of(record.size_from)};
    video.pix_fmt = {std::string(facts.pix_fmt.view()), origin_of(record.pix_fmt_from)};
    video.color_range = {range_of(facts.color_range), origin_of(record.range_from)};
    video.frame_rate = {{record.rate_num, std::max(record.rate_den, 1U)},
                        origin_of(record.rate_from)};
    video.bps = {record.video_bps, origin_of(record.video_bps_from)};
    source.video = std::move(video);
  }
  if (const media::Codec codec = codec_of(facts.audio_codec); codec != media::Codec::kNone) {
    FrozenAudio audio;
    audio.codec = codec;
    audio.sample_rate = {facts.sample_rate, origin_of(record.audio_from)};
    audio.channels = {facts.channels, origin_of(record.audio_from)};
    audio.bps = {record.audio_bps, origin_of(record.audio_bps_from)};
    source.audio = std::move(audio);
  }
  source.encoder = std::string(record.encoder.view());
  return source;
}

Measured measured_from(const StreamRecord& stream) {
  const SourceFacts& current = stream.playback.current;
  const runtime::MeasuredGauges& gauges = stream.measured;
  Measured measured;
  measured.rate_5s = gauges.rate_5s_milli.get() / 1000.0;
  measured.rate_60s = gauges.rate_60s_milli.get() / 1000.0;
  measured.video_bps = gauges.video_bps.get();
  measured.audio_bps = gauges.audio_bps.get();
  measured.video_bps_60s = gauges.video_bps_60s.get();
  measured.key_interval_ms = gauges.key_interval_ms.get();
  measured.video_codec = codec_of(current.video_codec);
  measured.audio_codec = codec_of(current.audio_codec);
  measured.width = current.width;
  measured.height = current.height;
  measured.pix_fmt = std::string(current.pix_fmt.view());
  measured.color_range = range_of(current.color_range);
  measured.sample_rate = current.sample_rate;
  measured.channels = current.channels;
  return measured;
}

void PlaybackRecord::set_state(runtime::TranscoderState state, const std::string& error) {
  const std::string told = shortened(error, sizeof playback_.error.bytes);
  if (playback_.state == state && playback_.error.view() == told) {
    return;
  }
  playback_.state = state;
  playback_.error.assign(told);
  changed_ = true;
}

void PlaybackRecord::set_restarts(int restarts) {
  changed_ = changed_ || playback_.restarts != restarts;
  playback_.restarts = static_cast<std::uint16_t>(std::clamp(restarts, 0, 65535));
}

void PlaybackRecord::set_source(const FrozenSource& source, const Ladder& ladder) {
  playback_.frozen = to_record(source);
  playback_.rendition_count =
      static_cast<std::uint8_t>(std::min(ladder.renditions.size(), runtime::kMostLiveRenditions));
  for (std::size_t i = 0; i < playback_.rendition_count; ++i) {
    const LiveRendition& rendition = ladder.renditions[i];
    runtime::LiveRenditionRecord record;
    record.name.assign(rendition.name);
    if (rendition.video >= 0) {
      const LiveVideo& video = ladder.videos[static_cast<std::size_t>(rendition.video)];
      record.width = side(video.width);
      record.height = side(video.height);
      record.video_bps = bounded(video.bps);
      record.copy = video.copy ? 1 : 0;
    }
    if (rendition.audio >= 0) {
      const LiveAudio& audio = ladder.audios[static_cast<std::size_t>(rendition.audio)];
      record.audio_bps = bounded(audio.bps);
      record.copy = rendition.video < 0 && audio.copy ? 1 : record.copy;
    }
    playback_.renditions[i] = record;
  }
  changed_ = true;
}

StreamRecord* PlaybackRecord::gauges() {
  if (index_ == runtime::kNone) {
    changed_ = true;
    flush();
  }
  return index_ == runtime::kNone ? nullptr : state_.stream_gauges(index_);
}

void PlaybackRecord::set_measured(const Measured& measured, std::uint32_t drift) {
  if (SourceFacts current = facts_of(measured); !(current == playback_.current)) {
    playback_.current = current;
    changed_ = true;
  }
  if (StreamRecord* stream = gauges(); stream != nullptr) {
    runtime::MeasuredGauges& to = stream->measured;
    to.rate_5s_milli.set(milli(measured.rate_5s));
    to.rate_60s_milli.set(milli(measured.rate_60s));
    to.video_bps.set(bounded(measured.video_bps));
    to.audio_bps.set(bounded(measured.audio_bps));
    to.video_bps_60s.set(bounded(measured.video_bps_60s));
    to.key_interval_ms.set(bounded(measured.key_interval_ms));
    to.drift.set(drift);
  }
}

void PlaybackRecord::set_speed(std::uint32_t milli) {
  if (StreamRecord* stream = gauges(); stream != nullptr) {
    stream->measured.speed_milli.set(milli);
  }
}

void PlaybackRecord::set_dropped(std::uint64_t groups) {
  if (StreamRecord* stream = gauges(); stream != nullptr) {
    stream->measured.dropped.set(bounded(static_cast<std::int64_t>(groups)));
  }
}

void PlaybackRecord::flush() {
  if (!changed_ || session_ == 0) {
    return;
  }
  auto begun = state_.begin();
  if (!begun) {
    return;
  }
  LiveState::Transaction live = std::move(begun).value();
  const std::int32_t index = index_ != runtime::kNone ? index_ : live.find_stream(app_, name_);
  const StreamRecord* stream = live.stream(index);
  if (stream == nullptr || stream->session.id != session_) {
    index_ = runtime::kNone;  // not known there yet, or not any more
    return;
  }
  StreamRecord& record = live.edit_stream(index);
  if (index_ == runtime::kNone) {
    record.measured = {};
  }
  index_ = index;
  record.playback = playback_;
  changed_ = false;
}

}  // namespace recording::transcode
