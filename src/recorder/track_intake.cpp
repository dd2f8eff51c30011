#include "recorder/track_intake.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace recording::recorder {
namespace {

std::size_t total_size(media::Pieces pieces) {
  std::size_t size = 0;
  for (const iovec& piece : pieces) {
    size += piece.iov_len;
  }
  return size;
}

Bytes joined(media::Pieces pieces, std::size_t limit) {
  Bytes bytes;
  for (const iovec& piece : pieces) {
    const std::size_t take = std::min(piece.iov_len, limit - bytes.size());
    put_bytes(bytes, {static_cast<const std::uint8_t*>(piece.iov_base), take});
  }
  return bytes;
}

constexpr std::size_t kLongestConfig = 16384;
// An encoder that cannot make up its mind is followed once in this time, and has no more than this
// many minds.
constexpr std::int64_t kFlappingMs = 1000;
constexpr std::size_t kMostLeft = 4;

}  // namespace

Intake TrackIntake::take(std::uint32_t timestamp_ms, std::int64_t now_ms, media::Pieces message) {
  const media::TagHeader tag = kind_ == media::TrackKind::kVideo ? media::parse_video_tag(message)
                                                                 : media::parse_audio_tag(message);
  pieces_.clear();
  media::slice(message, tag.header_size, tag.payload_size, pieces_);
  Intake intake;
  switch (tag.kind) {
    case media::TagKind::kSequenceHeader:
      intake = take_config(tag.codec, pieces_);
      break;
    case media::TagKind::kMultichannelConfig:
      intake = take_channels(pieces_);
      break;
    case media::TagKind::kSample:
      intake = take_sample(tag, timestamp_ms, now_ms);
      break;
    case media::TagKind::kUnsupported:
      intake = reject_codec(tag.codec_id);
      break;
    default:
      break;
  }
  pass_over(tag, intake);
  return intake;
}

void TrackIntake::pass_over(const media::TagHeader& tag, Intake& intake) {
  if (tag.kind == media::TagKind::kUnknownPacket) {
    ++passed_over_.packets;
    const std::uint32_t bit = 1U << (tag.packet_type % 16);
    if ((noted_packets_ & bit) == 0) {
      noted_packets_ |= bit;
      note_ = "packets of type " + std::to_string(tag.packet_type) +
              " are not known here and are passed over";
      intake.note = note_.c_str();
    }
  }
  if (tag.other_tracks != 0) {
    if (passed_over_.tracks == 0) {
      note_ = "of several tracks only number 0 is recorded, the others are passed over";
      intake.note = note_.c_str();
    }
    passed_over_.tracks += tag.other_tracks;
  }
}

Intake TrackIntake::reject_codec(std::uint32_t codec_id) {
  constexpr std::size_t kMostNoted = 16;
  Intake intake;
  intake.what = Intake::What::kRejected;
  if (rejected_codecs_.size() < kMostNoted &&
      std::find(rejected_codecs_.begin(), rejected_codecs_.end(), codec_id) ==
          rejected_codecs_.end()) {
    rejected_codecs_.push_back(codec_id);
    why_ = codec_id > 0xFF ? "codec \"" + media::fourcc_text(codec_id) + "\""
                           : "codec number " + std::to_string(codec_id) + " of FLV";
    why_ += " cannot be recorded";
    intake.why = why_.c_str();
  }
  return intake;
}

// It matters for Opus without an identification header only: all others say it themselves.
Intake TrackIntake::take_channels(media::Pieces payload) {
  const std::uint8_t channels = media::multichannel_count(payload);
  if (channels == 0 || channels == channels_) {
    return {};
  }
  channels_ = channels;
  return channels_counted_ ? take_config(media::Codec::kOpus, {}) : Intake{};
}

void TrackIntake::declare_frame_rate(double fps) {
  constexpr double kLowest = 0.5, kHighest = 1000;
  metadata_rate_milli_ =
      fps > kLowest && fps < kHighest ? static_cast<std::uint32_t>(std::lround(fps * 1000)) : 0;
  metadata_fps_ = metadata_rate_milli_ != 0 ? fps : 0;
  metadata_is_new_ = true;
}

// The frame rate is what was declared last. onMetaData comes from the encoder's settings and counts
// until the timing in the SPS, which often is a mere time base, becomes another one.
media::TrackConfig TrackIntake::declared(media::TrackConfig config) {
  std::uint32_t& rate = config.source.frame_rate_milli;
  if (kind_ != media::TrackKind::kVideo || metadata_rate_milli_ == 0) {
    return config;
  }
  if (std::exchange(metadata_is_new_, false)) {
    rate_beside_metadata_ = rate;
  }
  if (rate == rate_beside_metadata_ || rate == 0) {
    rate = metadata_rate_milli_;
    config.default_duration =
        static_cast<std::uint32_t>(std::lround(media::kVideoTimescale / metadata_fps_));
  }
  return config;
}

void TrackIntake::set_config(media::TrackConfig config) {
  clock_.describe(kind_, config.timescale, config.default_duration);
  config_ = std::make_shared<const media::TrackConfig>(std::move(config));
}

Status TrackIntake::take_video_config(media::Codec codec, ByteView record) {
  if (source_ != nullptr && source_codec_ == codec) {
    return source_->announce(record);  // in force with a key frame
  }
  std::unique_ptr<media::VideoSource> source = media::make_video_source(codec);
  if (source == nullptr) {
    return Error{Errc::kInvalidArgument, "no configuration for it"};
  }
  RECORDING_TRY(source->announce(record));
  source_ = std::move(source);
  source_codec_ = codec;
  if (source_->track().codec != media::Codec::kNone) {
    set_config(declared(source_->track()));
  }
  return ok();
}

Status TrackIntake::take_audio_config(media::Codec codec, ByteView record) {
  auto config = media::AudioSource::describe(codec, record);
  if (!config) {
    return std::move(config).error();
  }
  channels_counted_ = codec == media::Codec::kOpus && record.size() == 1;
  if (config.value() &&
      (config_ == nullptr || config_->codec != codec || !config_->same_source(*config.value()))) {
    set_config(std::move(*config.value()));
  }
  return ok();
}

Intake TrackIntake::take_config(media::Codec codec, media::Pieces payload) {
  Bytes record = joined(payload, kLongestConfig);
  if (record.empty()) {
    record.push_back(channels_);  // of Opus
  }
  Intake intake;
  if (!rejected_config_.empty() && record == rejected_config_) {
    intake.what = Intake::What::kRejected;  // said before; encoders repeat their headers
    return intake;
  }
  const ConfigRef before = config_;
  Status status = kind_ == media::TrackKind::kVideo ? take_video_config(codec, record)
                                                    : take_audio_config(codec, record);
  if (!status) {
    why_ = status.error().message;
    rejected_config_ = std::move(record);
    intake.what = Intake::What::kRejected;
    intake.why = why_.c_str();
    return intake;
  }
  rejected_config_.clear();
  if (config_ != before) {
    intake.what = Intake::What::kConfig;
  }
  return intake;
}

void TrackIntake::arrange_key_frame() {
  const media::VideoSource::Arrangement sets = source_->take_key_frame(pieces_);
  if (sets.insert.empty()) {
    return;
  }
  const auto at = static_cast<std::size_t>(sets.at);
  arranged_.clear();
  media::slice(pieces_, 0, at, arranged_);
  arranged_.push_back({const_cast<std::uint8_t*>(sets.insert.data()), sets.insert.size()});
  media::slice(pieces_, at, total_size(pieces_) - at, arranged_);
  pieces_.swap(arranged_);
}

void TrackIntake::follow_source(std::int64_t ms) {
  media::TrackConfig now = declared(source_->track());
  if (config_->same_source(now)) {
    return;
  }
  std::erase_if(left_, [ms](const Left& left) { return ms - left.ms >= kFlappingMs; });
  const bool flapping = std::any_of(left_.begin(), left_.end(), [&now](const Left& left) {
    return left.config->same_source(now);
  });
  if (flapping || left_.size() == kMostLeft) {
    return;  // nothing depends on it: the parameter sets are in the key frames
  }
  left_.push_back({config_, ms});
  set_config(std::move(now));
}

// False: the picture cannot be stored.
bool TrackIntake::widen_lengths(Intake& intake) {
  if (source_->nal_length_size() == 4) {
    return true;
  }
  widened_ = media::widen_nal_lengths(pieces_, source_->nal_length_size());
  if (widened_.empty()) {
    intake.what = Intake::What::kRejected;
    if (!malformed_said_) {
      malformed_said_ = true;
      intake.why = "the NAL lengths of a picture do not add up";
    }
    return false;
  }
  pieces_.assign(1, iovec{widened_.data(), widened_.size()});
  return true;
}

// Makes pieces_ what is stored of a picture. False: nothing is.
bool TrackIntake::take_picture(const media::TagHeader& tag, Intake& intake) {
  if (source_codec_ != tag.codec && tag.key &&
      (tag.codec == media::Codec::kAv1 || tag.codec == media::Codec::kVp9)) {
    source_ = media::make_video_source(tag.codec);  // their key frames need no header
    source_codec_ = tag.codec;
  }
  if (source_codec_ != tag.codec) {
    ++undescribed_;
    return false;
  }
  if (!widen_lengths(intake)) {
    return false;
  }
  if (tag.key) {
    arrange_key_frame();
  }
  if (config_ == nullptr || config_->codec != tag.codec) {
    if (source_->track().codec != tag.codec) {
      ++undescribed_;
      return false;
    }
    set_config(declared(source_->track()));
  }
  return true;
}

void TrackIntake::take_frame_of_audio(media::Codec codec) {
  auto config = audio_.take_frame(codec, pieces_);
  if (config && (config_ == nullptr || config_->codec != codec || !config_->same_source(*config))) {
    set_config(std::move(*config));
  }
}

Intake TrackIntake::take_sample(const media::TagHeader& tag, std::uint32_t timestamp_ms,
                                std::int64_t now_ms) {
  Intake intake;
  if (kind_ == media::TrackKind::kVideo) {
    if (!take_picture(tag, intake)) {
      return intake;
    }
  } else {
    take_frame_of_audio(tag.codec);
    if (config_ == nullptr || config_->codec != tag.codec) {
      ++undescribed_;
      return intake;
    }
  }
  // The clock counts milliseconds, and finds the encoder's exact times again by itself.
  timestamp_ms += (tag.nanoseconds + 500000) / 1000000;
  const media::SessionClock::Time time = clock_.next(kind_, timestamp_ms, tag.cts_ms, now_ms);
  if (kind_ == media::TrackKind::kVideo && tag.key) {
    follow_source(time.ms);
  }
  intake.what = Intake::What::kSample;
  intake.ms = time.ms;
  intake.repair = time.repair;
  intake.sample.dts = time.dts;
  intake.sample.cts = time.cts;
  intake.sample.key = tag.key;
  intake.sample.size = static_cast<std::uint32_t>(total_size(pieces_));
  intake.pieces = pieces_;
  return intake;
}

}  // namespace recording::recorder
