#include "recorder/track_intake.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "media/aac_config.hpp"

namespace recording::recorder {
namespace {

std::size_t total_size(media::Pieces pieces) {
  std::size_t size = 0;
  for (const iovec& piece : pieces) {
    size += piece.iov_len;
  }
  return size;
}

// Appends to `out` the part of `pieces` that begins at `from` and is `size` long.
void slice(media::Pieces pieces, std::size_t from, std::size_t size, std::vector<iovec>& out) {
  for (const iovec& piece : pieces) {
    if (size == 0) {
      return;
    }
    if (from >= piece.iov_len) {
      from -= piece.iov_len;
      continue;
    }
    const std::size_t take = std::min(size, piece.iov_len - from);
    out.push_back({static_cast<std::uint8_t*>(piece.iov_base) + from, take});
    size -= take;
    from = 0;
  }
}

Bytes joined(media::Pieces pieces, std::size_t limit) {
  Bytes bytes;
  for (const iovec& piece : pieces) {
    const std::size_t take = std::min(piece.iov_len, limit - bytes.size());
    put_bytes(bytes, {static_cast<const std::uint8_t*>(piece.iov_base), take});
  }
  return bytes;
}

// The first bytes of a message in one place; nearly always they already are.
struct MessageHead {
  explicit MessageHead(media::Pieces message) {
    if (!message.empty() && message[0].iov_len >= sizeof(copy)) {
      view = {static_cast<const std::uint8_t*>(message[0].iov_base), sizeof(copy)};
      return;
    }
    std::size_t size = 0;
    for (const iovec& piece : message) {
      const std::size_t take = std::min(piece.iov_len, sizeof(copy) - size);
      if (take > 0) {  // an empty piece may have no address
        std::memcpy(copy + size, piece.iov_base, take);
        size += take;
      }
    }
    view = {copy, size};
  }
  std::uint8_t copy[16];
  ByteView view;
};

constexpr std::size_t kLongestConfig = 16384;
// An encoder that cannot make up its mind is followed once in this time, and has no more than this
// many minds.
constexpr std::int64_t kFlappingMs = 1000;
constexpr std::size_t kMostLeft = 4;

}  // namespace

std::uint32_t TrackIntake::expected_duration() const {
  return clock_ ? clock_->expected_duration() : 0;
}

Intake TrackIntake::take(std::uint32_t timestamp_ms, std::int64_t reference_ms,
                         media::Pieces message) {
  const MessageHead head(message);
  const std::size_t size = total_size(message);
  const media::TagHeader tag = kind_ == media::TrackKind::kVideo
                                   ? media::parse_video_tag(head.view, size)
                                   : media::parse_audio_tag(head.view, size);
  pieces_.clear();
  switch (tag.kind) {
    case media::TagKind::kSequenceHeader:
      slice(message, tag.header_size, size - tag.header_size, pieces_);
      return take_config(tag.codec, pieces_);
    case media::TagKind::kSample:
      slice(message, tag.header_size, size - tag.header_size, pieces_);
      return take_sample(tag, timestamp_ms, reference_ms, pieces_);
    case media::TagKind::kUnsupported: {
      Intake intake;
      intake.what = Intake::What::kRejected;
      const char id = static_cast<char>(tag.codec_id);
      if (rejected_codecs_.find(id) == std::string::npos && rejected_codecs_.size() < 16) {
        rejected_codecs_.push_back(id);
        why_ = "codec number " + std::to_string(tag.codec_id) + " of FLV cannot be recorded";
        intake.why = why_.c_str();
      }
      return intake;
    }
    default:
      return {};
  }
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
  if (!clock_ || config_ == nullptr || config_->timescale != config.timescale) {
    clock_.emplace(config.timescale, config.default_duration);
  }
  config_ = std::make_shared<const media::TrackConfig>(std::move(config));
}

Status TrackIntake::take_video_config(media::Codec codec, ByteView record) {
  if (source_ != nullptr && config_->codec == codec) {
    return source_->announce(record);  // in force with a key frame
  }
  std::unique_ptr<media::VideoSource> source = media::make_video_source(codec);
  if (source == nullptr) {
    return Error{Errc::kInvalidArgument, "no configuration for it"};
  }
  RECORDING_TRY(source->announce(record));
  source_ = std::move(source);
  set_config(declared(source_->track()));
  return ok();
}

Status TrackIntake::take_audio_config(media::Codec codec, ByteView record) {
  if (codec != media::Codec::kAac) {
    return Error{Errc::kInvalidArgument, "no configuration for it"};
  }
  Result<media::TrackConfig> config = media::parse_aac_config(record);
  if (!config) {
    return std::move(config).error();
  }
  if (config_ == nullptr || !config_->same_source(config.value())) {
    set_config(std::move(config).value());
  }
  return ok();
}

Intake TrackIntake::take_config(media::Codec codec, media::Pieces payload) {
  Bytes record = joined(payload, kLongestConfig);
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

// A frame of MP3 is its own configuration; true for every other codec that has one.
bool TrackIntake::describe_by_frame(media::Codec codec, media::Pieces payload) {
  if (codec == media::Codec::kMp3) {
    const Bytes head = joined(payload, 4);
    Result<media::TrackConfig> config = media::parse_mp3_frame(head);
    if (config && (config_ == nullptr || !config_->same_source(config.value()))) {
      set_config(std::move(config).value());
    }
  }
  return config_ != nullptr && config_->codec == codec;
}

void TrackIntake::arrange_key_frame() {
  const media::VideoSource::Arrangement sets = source_->take_key_frame(pieces_);
  if (sets.insert.empty()) {
    return;
  }
  const auto at = static_cast<std::size_t>(sets.at);
  arranged_.clear();
  slice(pieces_, 0, at, arranged_);
  arranged_.push_back({const_cast<std::uint8_t*>(sets.insert.data()), sets.insert.size()});
  slice(pieces_, at, total_size(pieces_) - at, arranged_);
  pieces_.swap(arranged_);
}

void TrackIntake::follow_source(std::int64_t ms) {
  media::TrackConfig now = declared(source_->track());
  if (config_->same_source(now)) {
    return;
  }
  std::erase_if(left_,
                [ms](const Left& left) { return ms < left.ms || ms - left.ms >= kFlappingMs; });
  const bool flapping = std::any_of(left_.begin(), left_.end(), [&now](const Left& left) {
    return left.config->same_source(now);
  });
  if (flapping || left_.size() == kMostLeft) {
    return;  // nothing depends on it: the parameter sets are in the key frames
  }
  left_.push_back({config_, ms});
  set_config(std::move(now));
}

Intake TrackIntake::take_sample(const media::TagHeader& tag, std::uint32_t timestamp_ms,
                                std::int64_t reference_ms, media::Pieces payload) {
  if (!describe_by_frame(tag.codec, payload)) {
    ++undescribed_;
    return {};
  }
  if (source_ != nullptr) {
    if (source_->nal_length_size() != 4) {
      widened_ = media::widen_nal_lengths(payload, source_->nal_length_size());
      if (widened_.empty()) {
        Intake intake;
        intake.what = Intake::What::kRejected;
        if (!malformed_said_) {
          malformed_said_ = true;
          intake.why = "the NAL lengths of a picture do not add up";
        }
        return intake;
      }
      pieces_.assign(1, iovec{widened_.data(), widened_.size()});
    }
    if (tag.key) {
      arrange_key_frame();
    }
  }
  const media::SampleClock::Time time = clock_->next(timestamp_ms, tag.cts_ms, reference_ms);
  if (source_ != nullptr && tag.key) {
    follow_source(time.ms);
  }
  Intake intake;
  intake.what = Intake::What::kSample;
  intake.ms = time.ms;
  intake.sample.dts = time.dts;
  intake.sample.cts = time.cts;
  intake.sample.key = tag.key;
  intake.sample.size = static_cast<std::uint32_t>(total_size(pieces_));
  intake.pieces = pieces_;
  return intake;
}

}  // namespace recording::recorder
