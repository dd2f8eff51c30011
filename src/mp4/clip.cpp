#include "mp4/clip.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "mp4/movie_boxes.hpp"
#include "mp4/private_boxes.hpp"
#include "mp4/rescale.hpp"

namespace recording::mp4 {
namespace {

using media::TrackKind;

constexpr std::uint32_t kMsInSecond = 1000;

Error none(const std::string& what) { return Error{Errc::kInvalidArgument, what}; }

using OnRun = std::function<void(const IndexedRun&)>;

class RunVisitor final : public IndexWalk::Visitor {
 public:
  explicit RunVisitor(OnRun then) : then_(std::move(then)) {}
  Status on_note(const Note&) override { return ok(); }
  Status on_run(const IndexedRun& run) override {
    then_(run);
    return ok();
  }

 private:
  OnRun then_;
};

// What the notes say: the clocks of the tracks, where the wanted epoch begins and the next one.
class EpochVisitor final : public IndexWalk::Visitor {
 public:
  EpochVisitor(storage::File& file, std::uint64_t limit, std::optional<std::uint32_t> wanted)
      : file_(file), limit_(limit), wanted_(wanted) {}

  Status on_note(const Note& note) override {
    if (note.kind != NoteKind::kEpoch) {
      return ok();
    }
    auto epoch = read_epoch(file_, note.offset, limit_, buffer_);
    if (!epoch) {
      return std::move(epoch).error();
    }
    ++epochs;
    for (TrackKind kind : kTrackOrder) {
      const auto& track = epoch.value().tracks[slot(kind)];
      if (track && timescales[slot(kind)] == 0) {
        timescales[slot(kind)] = track->timescale;
      }
    }
    if (wanted_ && epoch.value().index == *wanted_) {
      begin = note.offset;
    } else if (begin && !end) {
      end = note.offset;
    }
    return ok();
  }
  Status on_run(const IndexedRun&) override { return ok(); }

  PerTrack<std::uint32_t> timescales{};
  std::uint32_t epochs = 0;
  std::optional<std::uint64_t> begin, end;

 private:
  storage::File& file_;
  std::uint64_t limit_;
  std::optional<std::uint32_t> wanted_;
  Bytes buffer_;
};

struct KeyFrame {
  std::int64_t dts = 0, pts = 0;
};

class Selector {
 public:
  Selector(IndexWalk& walk, const EpochVisitor& epochs) : walk_(walk), epochs_(epochs) {}

  Result<Selection> by_time(std::int64_t from_ms, std::int64_t to_ms);
  Result<Selection> by_epoch();

 private:
  [[nodiscard]] std::uint32_t clock(TrackKind kind) const { return epochs_.timescales[slot(kind)]; }
  [[nodiscard]] bool is_known(TrackKind kind) const { return clock(kind) != 0; }
  [[nodiscard]] std::int64_t ticks(std::int64_t ms, TrackKind kind) const {
    return rescale(ms, kMsInSecond, clock(kind));
  }
  [[nodiscard]] std::int64_t movie_ticks(std::int64_t ticks, TrackKind kind) const {
    return rescale(ticks, clock(kind), kMovieTimescale);
  }
  // What was not found is left out.
  Result<Selection> checked(Selection selection, const char* otherwise) const;

  Status visit(const std::function<bool(std::size_t)>& wanted, const OnRun& then);
  Result<bool> ends_after(std::int64_t ms);
  Result<std::optional<KeyFrame>> last_key(std::int64_t latest_dts,
                                           const std::function<bool(const Sample&)>& fits);
  void narrow_to_time(Selection& selection, const IndexedRun& run, std::int64_t to_ms);

  IndexWalk& walk_;
  const EpochVisitor& epochs_;
  PerTrack<bool> found_{};
};

Status Selector::visit(const std::function<bool(std::size_t)>& wanted, const OnRun& then) {
  RunVisitor visitor(then);
  for (std::size_t i = 0; i < walk_.size(); ++i) {
    if (wanted(i)) {
      RECORDING_TRY(walk_.visit(i, visitor));
    }
  }
  return ok();
}

// Whether a sample of the last index that has any is shown after that time.
Result<bool> Selector::ends_after(std::int64_t ms) {
  bool some = false, after = false;
  RunVisitor visitor([&](const IndexedRun& run) {
    if (is_known(run.kind)) {
      const Sample& last = run.samples.back();
      some = true;
      after = after || last.dts + last.cts + run.last_duration > ticks(ms, run.kind);
    }
  });
  for (std::size_t i = walk_.size(); i-- > 0 && !some;) {
    RECORDING_TRY(walk_.visit(i, visitor));
  }
  return after;
}

// The last key frame that `fits`; none that does is in an index that begins behind latest_dts.
Result<std::optional<KeyFrame>> Selector::last_key(std::int64_t latest_dts,
                                                   const std::function<bool(const Sample&)>& fits) {
  std::optional<KeyFrame> key;
  for (std::size_t i = walk_.size(); i-- > 0 && !key;) {
    if (walk_.begin_dts(i, TrackKind::kVideo) > latest_dts) {
      continue;
    }
    RunVisitor visitor([&](const IndexedRun& run) {
      for (const Sample& sample : run.samples) {
        if (run.kind == TrackKind::kVideo && sample.key && fits(sample)) {
          key = KeyFrame{sample.dts, sample.dts + sample.cts};
        }
      }
    });
    RECORDING_TRY(walk_.visit(i, visitor));
  }
  return key;
}

// From a sample that is not over at the beginning, to the last one in decoding order that is shown
// before the end.
void Selector::narrow_to_time(Selection& selection, const IndexedRun& run, std::int64_t to_ms) {
  Selection::Track& track = selection.tracks[slot(run.kind)];
  const std::int64_t end = ticks(to_ms, run.kind);
  const RunView view{run.kind, run.samples, run.last_duration};
  for (std::size_t i = 0; i < run.samples.size(); ++i) {
    const Sample& sample = run.samples[i];
    const std::int64_t pts = sample.dts + sample.cts;
    const bool over = run.kind == TrackKind::kAudio &&
                      movie_ticks(pts + view.duration(i), run.kind) <= selection.shown.begin;
    if (sample.dts < track.begin_dts || pts < track.least_pts || over || pts >= end) {
      continue;
    }
    if (!std::exchange(found_[slot(run.kind)], true)) {
      track.begin_dts = sample.dts;
    }
    track.end_dts = sample.dts + 1;
  }
}

Result<Selection> Selector::by_time(std::int64_t from_ms, std::int64_t to_ms) {
  auto beyond = ends_after(from_ms);
  if (!beyond) {
    return std::move(beyond).error();
  }
  if (!beyond.value()) {
    return none("beyond_the_end: the video ends before from");
  }
  Selection selection;
  selection.shown = {rescale(from_ms, kMsInSecond, kMovieTimescale),
                     rescale(to_ms, kMsInSecond, kMovieTimescale)};
  if (is_known(TrackKind::kVideo)) {
    // The API tells positions in whole milliseconds: a key frame within that one is meant.
    const std::int64_t after = ticks(from_ms + 1, TrackKind::kVideo);
    auto key = last_key(after, [&](const Sample& s) { return s.dts + s.cts < after; });
    if (!key) {
      return std::move(key).error();
    }
    if (key.value()) {
      const auto [dts, pts] = *key.value();
      selection.tracks[slot(TrackKind::kVideo)] = {dts, kEndless, pts};
      selection.shown.begin = movie_ticks(pts, TrackKind::kVideo);
    }
  }
  const auto overlaps = [&, begin = selection.shown.begin](std::size_t i) {
    return std::any_of(kTrackOrder.begin(), kTrackOrder.end(), [&](TrackKind kind) {
      const Selection::Track& track = selection.tracks[slot(kind)];
      return is_known(kind) && walk_.begin_dts(i, kind) < ticks(to_ms, kind) &&
             walk_.end_dts(i, kind) >= track.begin_dts &&
             (kind == TrackKind::kVideo || movie_ticks(walk_.end_dts(i, kind), kind) >= begin);
    });
  };
  RECORDING_TRY(visit(overlaps, [&](const IndexedRun& run) {
    if (is_known(run.kind)) {
      narrow_to_time(selection, run, to_ms);
    }
  }));
  return checked(selection, "beyond_the_end: there is no media between from and to");
}

Result<Selection> Selector::checked(Selection selection, const char* otherwise) const {
  for (TrackKind kind : kTrackOrder) {
    if (!found_[slot(kind)]) {
      selection.tracks[slot(kind)].end_dts = 0;
    }
  }
  return found_[0] || found_[1] ? Result<Selection>(selection) : none(otherwise);
}

Result<Selection> Selector::by_epoch() {
  if (!epochs_.begin) {
    return none("epoch_not_found: the video has " + std::to_string(epochs_.epochs) +
                " epochs, counted from 0");
  }
  const std::uint64_t begin = *epochs_.begin, end = epochs_.end.value_or(walk_.limit());
  Selection selection;
  std::int64_t shown_from = kEndless;
  bool begins_with_key = true;
  RECORDING_TRY(visit(
      [&](std::size_t i) { return walk_.begin_offset(i) < end && walk_.end_offset(i) > begin; },
      [&](const IndexedRun& run) {
        if (run.offset < begin || run.offset >= end || !is_known(run.kind)) {
          return;
        }
        Selection::Track& track = selection.tracks[slot(run.kind)];
        if (!std::exchange(found_[slot(run.kind)], true)) {
          track.begin_dts = run.samples.front().dts;
          begins_with_key &= run.samples.front().key;
          for (const Sample& sample : run.samples) {
            shown_from = std::min(shown_from, movie_ticks(sample.dts + sample.cts, run.kind));
          }
        }
        track.end_dts = run.samples.back().dts + 1;
      }));
  selection.shown.begin = shown_from;
  if (!begins_with_key) {
    Selection::Track& video = selection.tracks[slot(TrackKind::kVideo)];
    auto key = last_key(video.begin_dts, [&](const Sample& s) { return s.dts < video.begin_dts; });
    if (!key) {
      return std::move(key).error();
    }
    if (key.value()) {
      video.begin_dts = key.value()->dts;
      video.least_pts = key.value()->pts;
    }
  }
  return checked(selection, "epoch_not_found: nothing of this epoch is saved yet");
}

}  // namespace

Result<Selection> select_clip(storage::File& file, IndexWalk& walk, const Clip& clip) {
  EpochVisitor epochs(file, walk.limit(), clip.epoch);
  for (std::size_t i = 0; i < walk.size(); ++i) {
    RECORDING_TRY(walk.visit_notes(i, epochs));
  }
  for (TrackKind kind : kTrackOrder) {
    if (clip.only && *clip.only != kind) {
      epochs.timescales[slot(kind)] = 0;
    }
  }
  Selector selector(walk, epochs);
  return clip.epoch ? selector.by_epoch() : selector.by_time(clip.from_ms, clip.to_ms);
}

}  // namespace recording::mp4
