#include "recorder/timeline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "mp4/recording_reader.hpp"

namespace recording::recorder {
namespace {

using media::Parameters;

std::int64_t to_ms(std::int64_t ticks, std::uint32_t timescale) {
  return ticks / timescale * 1000 + ticks % timescale * 1000 / timescale;
}

// Of a time that a damaged file may have made anything.
std::int64_t bounded(std::int64_t time) {
  constexpr std::int64_t kLongest = std::int64_t{1} << 52;
  return std::clamp(time, -kLongest, kLongest);
}

class TimelineBuilder {
 public:
  void on_mark(const mp4::MarkNote& note) {
    const mp4::Mark& mark = note.mark;
    const std::int64_t at_ms = bounded(note.position_ms);
    if (!timeline_.stretches.empty()) {
      timeline_.interruptions.push_back(
          {at_ms, mark.began_wall_ms, mark.ended_wall_ms, mark.lost_ms, mark.reason});
    }
    timeline_.stretches.push_back(
        {timeline_.duration_ms, timeline_.duration_ms, mark.ended_wall_ms});
    begun_ = {};
    unmeasured_ = mark.kind == mp4::MarkKind::kOverload && mark.lost_ms == 0 &&
                  !timeline_.interruptions.empty();
  }

  void on_repairs(const mp4::RepairNote& note) {
    std::vector<media::TimestampRepair>& all = timeline_.timestamp_repairs;
    for (const media::TimestampRepair& repair : note.repairs) {
      const auto like = all.size() < Timeline::kMostRepairs
                            ? all.rend()
                            : std::find_if(all.rbegin(), all.rend(), [&](const auto& earlier) {
                                return earlier.kind == repair.kind && earlier.track == repair.track;
                              });
      if (like != all.rend()) {
        like->count += repair.count;
        continue;
      }
      all.push_back(repair);
      all.back().at_ms = bounded(repair.at_ms);
    }
  }

  void on_epoch(const mp4::EpochNote& note) {
    Timeline::Epoch epoch;
    epoch.index = note.epoch.index;
    epoch.start_ms = bounded(note.position_ms);
    if (const auto& video = note.epoch.tracks[mp4::slot(media::TrackKind::kVideo)]) {
      epoch.video = media::describe_video(video->config);
    }
    if (const auto& audio = note.epoch.tracks[mp4::slot(media::TrackKind::kAudio)]) {
      epoch.audio = media::describe_audio(audio->config);
    }
    end_epoch(epoch.start_ms);
    if (!timeline_.epochs.empty()) {
      const Timeline::Epoch& before = timeline_.epochs.back();
      compare(media::TrackKind::kVideo, before.video, epoch.video, epoch.start_ms);
      compare(media::TrackKind::kAudio, before.audio, epoch.audio, epoch.start_ms);
    }
    timeline_.epochs.push_back(std::move(epoch));
  }

  void on_run(const mp4::RunNote& run) {
    const std::int64_t start_ms = to_ms(run.dts, run.timescale);
    timeline_.duration_ms = std::max(timeline_.duration_ms, to_ms(run.end_dts, run.timescale));
    if (run.kind == media::TrackKind::kVideo) {
      pictures_ += run.samples;
      pictures_last_s_ += static_cast<double>(run.end_dts - run.dts) / run.timescale;
    }
    if (timeline_.stretches.empty()) {
      return;  // the first write has a mark, so this cannot be
    }
    Timeline::Stretch& stretch = timeline_.stretches.back();
    stretch.end_ms = timeline_.duration_ms;
    // It begins with the first sample behind its mark, of whichever track: what was kept of an
    // interruption (recording_gap keep) is no media.
    if (!std::exchange(begun_[mp4::slot(run.kind)], true)) {
      const bool first = !begun_[1 - mp4::slot(run.kind)];
      stretch.start_ms = first ? start_ms : std::min(stretch.start_ms, start_ms);
      if (unmeasured_) {
        Timeline::Interruption& dropped = timeline_.interruptions.back();
        dropped.lost_ms = std::max<std::int64_t>(stretch.start_ms - dropped.at_ms, 0);
      }
    }
  }

  Timeline take() {
    end_epoch(timeline_.duration_ms);
    return std::move(timeline_);
  }

 private:
  void end_epoch(std::int64_t at_ms) {
    if (!timeline_.epochs.empty()) {
      Timeline::Epoch& epoch = timeline_.epochs.back();
      epoch.end_ms = at_ms;
      if (pictures_ != 0 && pictures_last_s_ > 0) {
        epoch.frame_rate_measured =
            std::round(static_cast<double>(pictures_) / pictures_last_s_ * 1000.0) / 1000.0;
      }
    }
    pictures_ = 0;
    pictures_last_s_ = 0;
  }

  void compare(media::TrackKind kind, const std::optional<Parameters>& before,
               const std::optional<Parameters>& after, std::int64_t at_ms) {
    if (!before || !after) {
      return;
    }
    for (media::ParameterChange& change : media::changes_between(kind, *before, *after)) {
      timeline_.changes.push_back(
          {at_ms, std::move(change.field), std::move(change.from), std::move(change.to)});
    }
  }

  Timeline timeline_;
  std::array<bool, media::kTrackKinds> begun_{};  // samples of the track came in this stretch
  // The last interruption left a hole in the session's time, which says how long it was.
  bool unmeasured_ = false;
  std::uint64_t pictures_ = 0;  // of this epoch
  double pictures_last_s_ = 0;  // how long they are to be seen
};

}  // namespace

Result<Timeline> read_timeline(storage::File& file, const mp4::Committed& committed) {
  auto size = file.size();
  if (!size) {
    return std::move(size).error();
  }
  if (size.value() == 0) {
    return Error{Errc::kNotFound, "nothing is saved yet"};
  }
  TimelineBuilder builder;
  RECORDING_TRY(
      mp4::read_notes(file, committed,
                      {[&builder](const mp4::MarkNote& note) { builder.on_mark(note); },
                       [&builder](const mp4::EpochNote& note) { builder.on_epoch(note); },
                       [&builder](const mp4::RunNote& run) { builder.on_run(run); },
                       [&builder](const mp4::RepairNote& note) { builder.on_repairs(note); }}));
  Timeline timeline = builder.take();
  if (timeline.epochs.empty()) {
    return Error{Errc::kNotFound, "nothing is saved yet"};
  }
  return timeline;
}

}  // namespace recording::recorder
