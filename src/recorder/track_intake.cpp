#include "recorder/track_intake.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

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

void TrackIntake::set_config(media::TrackConfig config) {
  // onMetaData comes from the encoder's settings; timing in the SPS is often a mere time base.
  if (kind_ == media::TrackKind::kVideo && declared_fps_ > 0.5 && declared_fps_ < 1000) {
    config.default_duration =
        static_cast<std::uint32_t>(std::lround(media::kVideoTimescale / declared_fps_));
  }
  if (!clock_ || config_ == nullptr || config_->timescale != config.timescale) {
    clock_.emplace(config.timescale, config.default_duration);
  }
  config_ = std::make_shared<const media::TrackConfig>(std::move(config));
}

Intake TrackIntake::take_config(media::Codec codec, media::Pieces payload) {
  Bytes record = joined(payload, kLongestConfig);
  if (config_ != nullptr && record == raw_config_) {
    return {};
  }
  Intake intake;
  if (!rejected_config_.empty() && record == rejected_config_) {
    intake.what = Intake::What::kRejected;  // said before; encoders repeat their headers
    return intake;
  }
  Result<media::TrackConfig> config = Error{Errc::kInvalidArgument, "no configuration for it"};
  if (codec == media::Codec::kAvc) {
    Result<media::AvcConfig> avc = media::parse_avc_config(record);
    if (avc) {
      in_band_ = avc.value().in_band();
      nal_length_size_ = avc.value().nal_length_size;
      config = avc.value().track();
    } else {
      config = std::move(avc).error();
    }
  } else if (codec == media::Codec::kAac) {
    config = media::parse_aac_config(record);
  }
  if (!config) {
    why_ = config.error().message;
    rejected_config_ = std::move(record);
    intake.what = Intake::What::kRejected;
    intake.why = why_.c_str();
    return intake;
  }
  raw_config_ = std::move(record);
  rejected_config_.clear();
  const bool same = config_ != nullptr && config_->same_source(config.value());
  if (!same) {
    set_config(std::move(config).value());
    intake.what = Intake::What::kConfig;
  }
  return intake;
}

bool TrackIntake::describe_by_first_frame(media::Codec codec, media::Pieces payload) {
  if (codec != media::Codec::kMp3) {
    return false;
  }
  if (config_ != nullptr && config_->codec == codec) {
    return true;
  }
  const Bytes head = joined(payload, 16);
  Result<media::TrackConfig> config = media::parse_mp3_frame(head);
  if (!config) {
    return false;
  }
  set_config(std::move(config).value());
  raw_config_.clear();  // of another codec: the same header brings it back
  return true;
}

void TrackIntake::arrange_key_frame() {
  const media::AccessUnitLayout layout = media::inspect_access_unit(pieces_, 4);
  if (!layout.well_formed || layout.insert_at < 0 || in_band_.empty()) {
    return;
  }
  const auto at = static_cast<std::size_t>(layout.insert_at);
  arranged_.clear();
  slice(pieces_, 0, at, arranged_);
  arranged_.push_back({in_band_.data(), in_band_.size()});
  slice(pieces_, at, total_size(pieces_) - at, arranged_);
  pieces_.swap(arranged_);
}

Intake TrackIntake::take_sample(const media::TagHeader& tag, std::uint32_t timestamp_ms,
                                std::int64_t reference_ms, media::Pieces payload) {
  if (!describe_by_first_frame(tag.codec, payload) &&
      (config_ == nullptr || config_->codec != tag.codec)) {
    ++undescribed_;
    return {};
  }
  if (tag.codec == media::Codec::kAvc) {
    if (nal_length_size_ != 4) {
      widened_ = media::widen_nal_lengths(payload, nal_length_size_);
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
