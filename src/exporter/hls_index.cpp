#include "exporter/hls_index.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "media/codec_string.hpp"
#include "mp4/head.hpp"
#include "mp4/recording_reader.hpp"
#include "mp4/rescale.hpp"

namespace recording::exporter {
namespace {

using media::TrackKind;

constexpr std::uint32_t kUsInSecond = 1'000'000;
// Times are rounded, and sound comes in packets: a little less than the 4 s that are meant.
constexpr std::int64_t kEnough = std::int64_t{4} * kUsInSecond - kUsInSecond / 10;
// EXTINF, rounded to whole seconds, must not be more than the target (RFC 8216, 4.3.3.1).
constexpr std::int64_t kMost = kHlsTargetSeconds * kUsInSecond + kUsInSecond / 2 - 1;
constexpr std::size_t kMostCodecs = 8;

struct Piece {
  std::uint64_t begin = 0, end = 0;
  std::int64_t start_us = 0, end_us = 0;
  // Where it is told from: its pictures, as long as there are some.
  std::int64_t line_us = 0;
  bool key = true;
  bool seam = false;
  bool ahead = false;  // the packet of sound that stands in front of a seam's fragment
};

class HlsIndexer {
 public:
  HlsIndexer(HlsIndex& index, std::int64_t started_wall_ms)
      : index_(index), anchor_wall_ms_(started_wall_ms) {}

  void on_mark(const mp4::MarkNote& note) {
    end_fragment(note.offset);
    const mp4::Mark& mark = note.mark;
    seam_ = true;
    if (mark.ended_wall_ms != 0) {
      marked_wall_ms_ = mark.ended_wall_ms;
    }
    if (media_seen_) {
      interruption_ =
          HlsInterruption{0, mark.began_wall_ms, mark.ended_wall_ms, mark.lost_ms, mark.reason};
    }
  }

  void on_epoch(const mp4::EpochNote& note) {
    end_fragment(note.offset);
    seam_ = true;
    index_.maps.push_back({note.init_offset, note.init_size});
    for (const TrackKind kind : mp4::kTrackOrder) {
      if (const auto& track = note.epoch.tracks[mp4::slot(kind)]) {
        learn(kind, track->config);
      }
    }
  }

  void on_run(const mp4::RunNote& run) {
    if (fragment_ && run.offset != fragment_->end &&
        !(std::exchange(fragment_->ahead, false) && run.kind == TrackKind::kVideo)) {
      end_fragment(fragment_->end);
    }
    const std::int64_t start_us = mp4::rescale(run.dts, run.timescale, kUsInSecond);
    const std::int64_t end_us = mp4::rescale(run.end_dts, run.timescale, kUsInSecond);
    if (!fragment_) {
      fragment_ = Piece{behind_.value_or(run.offset), 0, start_us, end_us, start_us, true, seam_};
      fragment_->ahead =
          std::exchange(seam_, false) && run.kind == TrackKind::kAudio && run.samples == 1;
    }
    fragment_->end = run.offset + run.bytes;
    fragment_->start_us = std::min(fragment_->start_us, start_us);
    fragment_->end_us = std::max(fragment_->end_us, end_us);
    if (run.kind == TrackKind::kVideo) {
      fragment_->line_us = start_us;
      fragment_->key = run.begins_with_key;
    }
    media_seen_ = true;
  }

  void finish() {
    end_fragment(0);
    if (segment_ && index_.finished) {
      close(std::nullopt);
    } else if (segment_) {
      index_.segments.pop_back();  // it may become longer
    }
    std::stable_sort(index_.codecs.begin(), index_.codecs.end(),
                     [this](const std::string& a, const std::string& b) {
                       return is_picture(a) && !is_picture(b);
                     });
  }

 private:
  void learn(TrackKind kind, const media::TrackConfig& config) {
    const std::string codec = media::codec_string(config);
    const bool known =
        std::find(index_.codecs.begin(), index_.codecs.end(), codec) != index_.codecs.end();
    if (!codec.empty() && !known && index_.codecs.size() < kMostCodecs) {
      index_.codecs.push_back(codec);
      if (kind == TrackKind::kVideo) {
        pictures_.push_back(codec);
      }
    }
    if (kind != TrackKind::kVideo) {
      return;
    }
    const media::SourceParameters& source = config.source;
    if (std::uint64_t{source.width} * source.height > std::uint64_t{index_.width} * index_.height) {
      index_.width = source.width;
      index_.height = source.height;
    }
    if (index_.frame_rate == 0 && config.default_duration > 0) {
      index_.frame_rate = static_cast<double>(config.timescale) / config.default_duration;
    }
  }
  [[nodiscard]] bool is_picture(const std::string& codec) const {
    return std::find(pictures_.begin(), pictures_.end(), codec) != pictures_.end();
  }

  // The next one begins at `behind`, with the boxes that are in front of it: all that is there is
  // part of some segment.
  void end_fragment(std::uint64_t behind) {
    if (fragment_) {
      behind_ = fragment_->end;
      add(*std::exchange(fragment_, std::nullopt));
    } else if (!behind_) {
      behind_ = behind;  // the first box behind the file's own
    }
  }

  void add(const Piece& piece) {
    if (segment_ && ends_before(piece)) {
      close(piece);
    }
    if (!segment_) {
      open(piece);
      return;
    }
    segment_->end = piece.end;
    segment_->end_us = std::max(segment_->end_us, piece.end_us);
  }

  [[nodiscard]] bool ends_before(const Piece& next) const {
    const std::int64_t length_us = next.line_us - segment_->line_us;
    return next.seam || (next.key && length_us >= kEnough) ||
           next.end_us - segment_->line_us > kMost;
  }

  // A segment lasts until the next one, so that they add up to the file's own time; where time is
  // missing, until its media is over.
  void close(const std::optional<Piece>& next) {
    const std::int64_t media_us = std::max<std::int64_t>(segment_->end_us - segment_->line_us, 1);
    std::int64_t lasts_us = media_us;
    broken_ = false;
    if (next) {
      lasts_us = (next->seam ? next->start_us : next->line_us) - segment_->line_us;
      broken_ = lasts_us <= 0 || lasts_us > (next->seam ? media_us : std::max(kMost, media_us));
    }
    HlsSegment& out = index_.segments.back();
    out.size = segment_->end - out.offset;
    out.duration_us = broken_ ? media_us : lasts_us;
    index_.duration_us += out.duration_us;
    segment_.reset();
  }

  void open(const Piece& piece) {
    const bool fresh = piece.seam || broken_ || index_.segments.empty();
    segment_ = piece;
    if (fresh) {
      segment_->line_us = piece.start_us;
    }
    if (marked_wall_ms_ != 0) {
      anchor_us_ = piece.start_us;
      anchor_wall_ms_ = std::exchange(marked_wall_ms_, 0);
    }
    if (interruption_) {
      interruption_->at_us = index_.duration_us;
      index_.interruptions.push_back(*std::exchange(interruption_, std::nullopt));
    }
    HlsSegment out;
    out.offset = piece.begin;
    out.wall_ms =
        anchor_wall_ms_ != 0 ? anchor_wall_ms_ + (segment_->line_us - anchor_us_) / 1000 : 0;
    out.map = static_cast<std::uint32_t>(std::max<std::size_t>(index_.maps.size(), 1) - 1);
    out.discontinuity = fresh && !index_.segments.empty();
    out.begins_with_key = piece.key;
    index_.segments.push_back(out);
  }

  HlsIndex& index_;
  std::vector<std::string> pictures_;
  std::optional<Piece> fragment_, segment_;
  std::optional<std::uint64_t> behind_;
  std::optional<HlsInterruption> interruption_;
  bool seam_ = false, broken_ = false, media_seen_ = false;
  // Wall clock: `anchor_wall_ms_` was at anchor_us_ of the file's time.
  std::int64_t anchor_us_ = 0, anchor_wall_ms_ = 0, marked_wall_ms_ = 0;
};

// When the recording began; 0: it cannot be told.
std::int64_t started_wall_ms(storage::File& file, const mp4::Head& head) {
  Bytes buffer;
  auto payload = mp4::read_private_box(file, head.size, head.file_size, mp4::kIdentityBox, buffer);
  auto identity = payload ? mp4::decode_identity(payload.value())
                          : Result<mp4::Identity>(std::move(payload).error());
  return identity ? identity.value().started_wall_ms : 0;
}

}  // namespace

Result<HlsIndex> read_hls_index(storage::File& file, const mp4::Committed& committed) {
  auto head = mp4::read_head(file);
  if (!head) {
    return std::move(head).error();
  }
  HlsIndex index;
  index.finished = head.value().finished;
  HlsIndexer indexer(index, started_wall_ms(file, head.value()));
  RECORDING_TRY(mp4::read_notes(file, committed,
                                {[&](const mp4::MarkNote& note) { indexer.on_mark(note); },
                                 [&](const mp4::EpochNote& note) { indexer.on_epoch(note); },
                                 [&](const mp4::RunNote& run) { indexer.on_run(run); },
                                 {}}));
  indexer.finish();
  return index;
}

double HlsIndex::average_bps() const {
  double bytes = 0;
  for (const HlsSegment& segment : segments) {
    bytes += static_cast<double>(segment.size);
  }
  return duration_us > 0 ? bytes * 8 * kUsInSecond / static_cast<double>(duration_us) : 0;
}

double HlsIndex::most_bps() const {
  constexpr std::int64_t kStretch = kHlsTargetSeconds * kUsInSecond / 2;
  double most = average_bps(), bytes = 0;
  std::int64_t lasts_us = 0;
  for (std::size_t first = 0, behind = 0; first < segments.size(); ++first) {
    for (; lasts_us < kStretch && behind < segments.size(); ++behind) {
      bytes += static_cast<double>(segments[behind].size);
      lasts_us += segments[behind].duration_us;
    }
    if (lasts_us < kStretch) {
      break;
    }
    most = std::max(most, bytes * 8 * kUsInSecond / static_cast<double>(lasts_us));
    bytes -= static_cast<double>(segments[first].size);
    lasts_us -= segments[first].duration_us;
  }
  return most;
}

}  // namespace recording::exporter
