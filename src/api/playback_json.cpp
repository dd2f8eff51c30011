#include "api/playback_json.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/color_names.hpp"
#include "transcode/drift.hpp"
#include "transcode/playback_record.hpp"
#include "media/parameter_json.hpp"

namespace recording::api {
namespace {

using runtime::LivePlayback;
using runtime::StreamRecord;
using runtime::TranscoderState;
using transcode::Origin;

const char* state_name(TranscoderState state) {
  static constexpr std::array<const char*, 8> kNames = {
      "off", "probing", "starting", "running", "restarting", "failed", "refused", "ended"};
  const auto index = static_cast<std::size_t>(state);
  return index < kNames.size() ? kNames[index] : "off";
}

bool is_frozen(const LivePlayback& playback) {
  return playback.frozen.facts.video_codec != 0 || playback.frozen.facts.audio_codec != 0;
}

Json codec_json(media::Codec codec) {
  return codec == media::Codec::kNone ? Json(nullptr) : Json(media::codec_name(codec));
}
Json rate_json(double rate) {
  return rate <= 0 ? Json(nullptr) : Json(std::round(rate * 1000) / 1000);
}

std::size_t rendition_count(const LivePlayback& playback) {
  return std::min<std::size_t>(playback.rendition_count, runtime::kMostLiveRenditions);
}

}  // namespace

Json frozen_json(const StreamRecord& stream) {
  if (!is_frozen(stream.playback)) {
    return nullptr;
  }
  const transcode::FrozenSource source = transcode::frozen_from(stream.playback.frozen);
  const transcode::FrozenVideo video = source.video.value_or(transcode::FrozenVideo());
  const transcode::FrozenAudio audio = source.audio.value_or(transcode::FrozenAudio());
  Json json = {{"video_codec", codec_json(video.codec)},
               {"width", positive_or_null(video.width.value)},
               {"height", positive_or_null(video.height.value)},
               {"pix_fmt", text_or_null(video.pix_fmt.value)},
               {"color_range", text_or_null(media::color_range_name(video.color_range.value))},
               {"frame_rate", rate_json(video.frame_rate.value.per_second())},
               {"video_bit_rate", positive_or_null(video.bps.value)},
               {"audio_codec", codec_json(audio.codec)},
               {"sample_rate", positive_or_null(audio.sample_rate.value)},
               {"channels", positive_or_null(audio.channels.value)},
               {"audio_bit_rate", positive_or_null(audio.bps.value)},
               {"encoder", text_or_null(source.encoder)}};
  Json origins = Json::object();
  const std::pair<const char*, Origin> from[] = {{"width", video.width.origin},
                                                 {"height", video.height.origin},
                                                 {"pix_fmt", video.pix_fmt.origin},
                                                 {"color_range", video.color_range.origin},
                                                 {"frame_rate", video.frame_rate.origin},
                                                 {"video_bit_rate", video.bps.origin},
                                                 {"sample_rate", audio.sample_rate.origin},
                                                 {"channels", audio.channels.origin},
                                                 {"audio_bit_rate", audio.bps.origin}};
  for (const auto& [name, origin] : from) {
    if (origin != Origin::kNotKnown) {
      origins[name] = transcode::origin_name(origin);
    }
  }
  json["origins"] = std::move(origins);
  return json;
}

Json measured_json(const StreamRecord& stream) {
  const transcode::Measured now = transcode::measured_from(stream);
  if (now.video_codec == media::Codec::kNone && now.audio_codec == media::Codec::kNone) {
    return nullptr;
  }
  return {{"video_codec", codec_json(now.video_codec)},
          {"width", positive_or_null(now.width)},
          {"height", positive_or_null(now.height)},
          {"pix_fmt", text_or_null(now.pix_fmt)},
          {"color_range", text_or_null(media::color_range_name(now.color_range))},
          {"frame_rate", rate_json(now.rate_5s)},
          {"frame_rate_60s", rate_json(now.rate_60s)},
          {"video_bit_rate", positive_or_null(now.video_bps)},
          {"video_bit_rate_60s", positive_or_null(now.video_bps_60s)},
          {"key_frame_interval_seconds", now.key_interval_ms > 0
                                             ? Json(static_cast<double>(now.key_interval_ms) / 1000)
                                             : Json(nullptr)},
          {"audio_codec", codec_json(now.audio_codec)},
          {"sample_rate", positive_or_null(now.sample_rate)},
          {"channels", positive_or_null(now.channels)},
          {"audio_bit_rate", positive_or_null(now.audio_bps)}};
}

Json drift_json(const StreamRecord& stream) {
  Json list = Json::array();
  if (!is_frozen(stream.playback)) {
    return list;
  }
  for (const transcode::Drift& drift :
       transcode::drifts_of(transcode::frozen_from(stream.playback.frozen),
                            transcode::measured_from(stream), stream.measured.drift.get())) {
    list.push_back({{"field", drift.field},
                    {"frozen", media::parameter_json(drift.frozen)},
                    {"measured", media::parameter_json(drift.measured)},
                    {"advice", drift.advice}});
  }
  return list;
}

Json transcoding_speed(const StreamRecord& stream) {
  const std::uint32_t speed = stream.measured.speed_milli.get();
  return stream.playback.state == TranscoderState::kRunning && speed != 0 ? Json(speed / 1000.0)
                                                                          : Json(nullptr);
}

Json transcoder_json(const StreamRecord& stream) {
  const LivePlayback& playback = stream.playback;
  if (playback.state == TranscoderState::kOff) {
    return nullptr;
  }
  Json renditions = Json::array();
  for (std::size_t i = 0; i < rendition_count(playback); ++i) {
    const runtime::LiveRenditionRecord& rendition = playback.renditions[i];
    renditions.push_back({{"name", std::string(rendition.name.view())},
                          {"width", positive_or_null(rendition.width)},
                          {"height", positive_or_null(rendition.height)},
                          {"video_bit_rate", positive_or_null(rendition.video_bps)},
                          {"audio_bit_rate", positive_or_null(rendition.audio_bps)},
                          {"copied", rendition.copy != 0}});
  }
  return {{"state", state_name(playback.state)}, {"restarts", playback.restarts},
          {"speed", transcoding_speed(stream)},  {"dropped_groups", stream.measured.dropped.get()},
          {"renditions", std::move(renditions)}, {"error", text_or_null(playback.error.view())}};
}

Json transcoded_qualities(const StreamRecord& stream) {
  Json names = Json::array();
  for (std::size_t i = 0; i < rendition_count(stream.playback) && can_be_played(stream); ++i) {
    names.push_back(std::string(stream.playback.renditions[i].name.view()));
  }
  return names;
}

bool can_be_played(const StreamRecord& stream) {
  return stream.playback.state == TranscoderState::kRunning;
}

}  // namespace recording::api
