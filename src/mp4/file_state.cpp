#include "mp4/file_state.hpp"

#include <algorithm>
#include <limits>

namespace recording::mp4 {
namespace {

constexpr std::int64_t kIndexEveryMs = 60000;
constexpr std::size_t kIndexMaxSize = 48 * 1024;

// ticks * 1000 / timescale without overflow.
std::int64_t to_ms(std::int64_t ticks, std::uint32_t timescale) {
  return ticks / timescale * 1000 + ticks % timescale * 1000 / timescale;
}

const char* refuse_samples(const RunView& run, std::int64_t before) {
  for (std::size_t i = 0; i < run.samples.size(); ++i) {
    const Sample& sample = run.samples[i];
    if (sample.dts <= before || sample.dts > kMaxDts - kMaxStep) {
      return "dts must rise";
    }
    // The first sample of a track may come any time after zero: an edit list says when.
    if (before >= 0 && sample.dts - before > kMaxStep) {
      return "a gap that no 32-bit duration holds";
    }
    if (sample.cts > kMaxStep || run.last_duration > kMaxStep) {
      return "a time that is too long";
    }
    before = sample.dts;
  }
  return nullptr;
}

}  // namespace

void FileState::on_epoch(const Epoch& epoch, std::uint64_t offset) {
  for (media::TrackKind kind : kTrackOrder) {
    const auto& setup = epoch.tracks[slot(kind)];
    auto& track = tracks_[slot(kind)];
    if (!setup) {
      continue;
    }
    if (!track) {
      track.emplace().at_first = *setup;
    }
    track->setup = *setup;
    // Fixed by the head, whatever a box says.
    track->setup.timescale = track->at_first.timescale;
    track->setup.default_duration = track->at_first.default_duration;
  }
  epochs_ = epoch.index + 1;
  index_.add_note({NoteKind::kEpoch, offset});
}

void FileState::on_mark(const PlacedMark& mark, std::uint64_t offset) {
  last_mark_ = mark;
  marked_ms_ = duration_ms();
  missing_here_ms_.reset();
  for (auto& track : tracks_) {
    if (track) {
      track->samples_since_mark = 0;
    }
  }
  index_.add_note({NoteKind::kMark, offset});
}

void FileState::on_index(std::uint64_t offset) {
  index_.restart(offset);
  recent_.clear();
  indexed_ms_ = duration_ms();
}

void FileState::on_repairs(std::uint64_t offset) {
  repairs_ = offset;
  index_.add_note({NoteKind::kRepairs, offset});
}

void FileState::on_fragment(std::uint64_t offset, std::uint64_t data_offset,
                            std::span<const RunView> runs) {
  index_.add_fragment(data_offset, runs);
  note_missing(runs);
  recent_.push_back({repairs_.value_or(offset), offset});
  repairs_.reset();
  ++next_sequence_;
  for (const RunView& run : runs) {
    TrackState& track = *tracks_[slot(run.kind)];
    track.last_dts = run.samples.back().dts;
    track.end_dts = run.end_dts();
    track.end_pts = run.end_pts();
    track.samples_since_mark += run.samples.size();
  }
}

// Up to the first sample behind the mark, of whichever track: one may come a fragment earlier.
void FileState::note_missing(std::span<const RunView> runs) {
  for (const RunView& run : runs) {
    const TrackState& track = *tracks_[slot(run.kind)];
    if (!marked_ms_ || track.samples_since_mark > 0) {
      continue;
    }
    const std::int64_t first_ms = to_ms(run.samples.front().dts, track.setup.timescale);
    const std::int64_t missing_ms = std::max<std::int64_t>(first_ms - *marked_ms_, 0);
    const std::int64_t least_ms = std::min(missing_ms, missing_here_ms_.value_or(missing_ms));
    missing_ms_ += least_ms - missing_here_ms_.value_or(0);
    missing_here_ms_ = least_ms;
  }
}

const char* FileState::refuse(std::span<const RunView> runs) const {
  std::uint64_t bytes = 0;
  for (const RunView& run : runs) {
    if (run.samples.empty() || run.samples.size() > kMaxRunSamples) {
      return "number of samples";
    }
    const auto& track = tracks_[slot(run.kind)];
    if (const char* why = refuse_samples(run, track ? track->last_dts : -1)) {
      return why;
    }
    bytes += run.bytes();
  }
  return bytes > kMaxMediaBytes ? "too many bytes" : nullptr;
}

bool FileState::index_due() const {
  return !index_.empty() &&
         (duration_ms() - indexed_ms_ >= kIndexEveryMs || index_.size() >= kIndexMaxSize);
}

TrackSetups FileState::setups() const {
  TrackSetups result;
  for (media::TrackKind kind : kTrackOrder) {
    if (tracks_[slot(kind)]) {
      result[slot(kind)] = tracks_[slot(kind)]->setup;
    }
  }
  return result;
}

TrackSetups FileState::head_setups() const {
  TrackSetups result;
  for (media::TrackKind kind : kTrackOrder) {
    if (tracks_[slot(kind)]) {
      result[slot(kind)] = tracks_[slot(kind)]->at_first;
    }
  }
  return result;
}

PerTrack<std::uint32_t> FileState::trex_durations() const {
  PerTrack<std::uint32_t> result{};
  for (media::TrackKind kind : kTrackOrder) {
    if (tracks_[slot(kind)]) {
      result[slot(kind)] = tracks_[slot(kind)]->at_first.default_duration;
    }
  }
  return result;
}

std::int64_t FileState::duration_ms() const {
  std::int64_t longest = 0;
  for (const auto& track : tracks_) {
    if (track) {
      longest = std::max(longest, to_ms(track->end_dts, track->setup.timescale));
    }
  }
  return longest;
}

}  // namespace recording::mp4
