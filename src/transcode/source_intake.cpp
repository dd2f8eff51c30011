#include "transcode/source_intake.hpp"

#include <algorithm>
#include <utility>

namespace recording::transcode {
namespace {

using media::TagKind;
using media::TrackKind;

constexpr std::size_t kLongestHeader = 16384;

}  // namespace

const media::TrackConfig* SourceIntake::config(TrackKind kind) const {
  const auto& config = configs_[index_of(kind)];
  return config ? &*config : nullptr;
}

SourceMessage SourceIntake::take(TrackKind kind, std::uint32_t timestamp_ms, std::int64_t now_ms,
                                 media::Pieces message) {
  SourceMessage out;
  out.kind = kind;
  out.tag =
      kind == TrackKind::kVideo ? media::parse_video_tag(message) : media::parse_audio_tag(message);
  for (const iovec& piece : message) {
    out.size += piece.iov_len;
  }
  payload_.clear();
  media::slice(message, out.tag.header_size, out.tag.payload_size, payload_);
  if (out.tag.kind == TagKind::kSequenceHeader && out.tag.payload_size <= kLongestHeader) {
    Bytes record;
    media::PieceReader(payload_).copy(out.tag.payload_size, record);
    out.config_changed = take_header(kind, out.tag.codec, record);
  } else if (out.tag.kind == TagKind::kSample) {
    take_sample(out, timestamp_ms, now_ms);
  }
  return out;
}

// True: another configuration is in force.
bool SourceIntake::take_header(TrackKind kind, media::Codec codec, ByteView record) {
  if (kind == TrackKind::kAudio) {
    auto config = media::AudioSource::describe(codec, record);
    return config && config.value() && set_config(kind, *config.value());
  }
  if (video_ == nullptr || video_codec_ != codec) {
    auto video = media::make_video_source(codec);
    if (video == nullptr || !video->announce(record)) {
      return false;
    }
    video_ = std::move(video);
    video_codec_ = codec;
  } else if (!video_->announce(record)) {
    return false;
  }
  return set_config(kind, video_->track());
}

bool SourceIntake::set_config(TrackKind kind, const media::TrackConfig& config) {
  auto& known = configs_[index_of(kind)];
  if (config.codec == media::Codec::kNone || (known && known->same_source(config))) {
    return false;
  }
  known = config;
  clock_.describe(kind, config.timescale, config.default_duration);
  return true;
}

void SourceIntake::take_sample(SourceMessage& message, std::uint32_t timestamp_ms,
                               std::int64_t now_ms) {
  const media::TagHeader& tag = message.tag;
  if (message.kind == TrackKind::kVideo) {
    if (video_ != nullptr && video_codec_ == tag.codec && tag.key &&
        video_->nal_length_size() == 4) {
      message.sets = video_->take_key_frame(payload_);
      message.config_changed = set_config(message.kind, video_->track());
    }
  } else if (auto config = audio_.take_frame(tag.codec, payload_)) {
    message.config_changed = set_config(message.kind, *config);
  }
  const media::TrackConfig* config = this->config(message.kind);
  if (config == nullptr || config->codec != tag.codec) {
    return;
  }
  const std::uint32_t milliseconds = (tag.nanoseconds + 500000) / 1000000;
  const media::SessionClock::Time time =
      clock_.next(message.kind, timestamp_ms + milliseconds, tag.cts_ms, now_ms);
  message.ms = time.dts * 1000 / config->timescale;
  message.decodable = true;
}

}  // namespace recording::transcode
