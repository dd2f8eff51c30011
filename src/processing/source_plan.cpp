#include "processing/source_plan.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "mp4/head.hpp"
#include "mp4/index_walk.hpp"
#include "mp4/private_boxes.hpp"
#include "mp4/rescale.hpp"

namespace recording::processing {
namespace {

using media::TrackKind;

constexpr std::int64_t kTicksInMs = kTicks / 1000;

class PlanVisitor final : public mp4::IndexWalk::Visitor {
 public:
  PlanVisitor(SourcePlan& plan, std::uint64_t limit) : plan_(plan), limit_(limit) {}

  Status on_note(const mp4::Note& note) override {
    if (note.kind == mp4::NoteKind::kMark) {
      return on_mark(note.offset);
    }
    return note.kind == mp4::NoteKind::kEpoch ? on_epoch(note.offset) : ok();
  }

  Status on_run(const mp4::IndexedRun& run) override {
    const mp4::RunView view{run.kind, run.samples, run.last_duration};
    if (run.kind == TrackKind::kVideo) {
      on_pictures(view);
    } else if (sound_clock_ != 0) {
      const std::int64_t begin = ticks(run.samples.front().dts);
      if (plan_.sounds.empty() || !plan_.sounds.back().config.same_source(audio_)) {
        begin_part(plan_.sounds, audio_, begin);
      }
      on_media(TrackKind::kAudio, begin, ticks(view.end_dts()));
    }
    return ok();
  }

  // There is no more.
  void finish() {
    end_seam();
    end_gap();
  }

 private:
  struct Pending {
    mp4::Mark mark = {};
    std::optional<std::int64_t> at = {};  // nothing: no media came behind it yet
    bool between_keys = false;
  };

  Status on_epoch(std::uint64_t offset) {
    auto epoch = mp4::read_epoch(*plan_.file, offset, limit_, buffer_);
    if (!epoch) {
      return std::move(epoch).error();
    }
    const auto& video = epoch.value().tracks[mp4::slot(TrackKind::kVideo)];
    const auto& audio = epoch.value().tracks[mp4::slot(TrackKind::kAudio)];
    video_ = video ? video->config : media::TrackConfig{};
    audio_ = audio ? audio->config : media::TrackConfig{};
    if (audio && sound_clock_ == 0) {
      sound_clock_ = audio->timescale;
    }
    end_seam();
    if (!seam_) {
      seam_ = Pending{};
    }
    return ok();
  }

  Status on_mark(std::uint64_t offset) {
    auto payload = mp4::read_private_box(*plan_.file, offset, limit_, mp4::kMarkBox, buffer_);
    auto mark = payload ? mp4::decode_mark(payload.value())
                        : Result<mp4::PlacedMark>(std::move(payload).error());
    if (!mark) {
      return std::move(mark).error();
    }
    end_seam();
    seam_ = Pending{std::move(mark).value().mark};
    end_gap();
    gap_ = Gap{plan_.end, mp4::kLongestTime};
    begun_ = {};
    return ok();
  }

  [[nodiscard]] std::int64_t ticks(std::int64_t dts) const {
    return mp4::rescale(dts, sound_clock_, kTicks);
  }

  // One behind which there was media, but no key frame to begin a part with.
  void end_seam() {
    if (seam_ && seam_->at) {
      plan_.seams.push_back({*seam_->at, std::move(seam_->mark)});
      seam_.reset();
    }
  }

  void end_gap() {
    constexpr std::int64_t kShortest = kTicks / 10;  // sound and pictures end at different times
    if (gap_.begin != 0 && gap_.end != mp4::kLongestTime && gap_.end - gap_.begin > kShortest) {
      plan_.gaps.push_back(gap_);
    }
    gap_ = {};
  }

  // A gap is over with the first sample behind its mark, of whichever track.
  void on_media(TrackKind kind, std::int64_t begin, std::int64_t end) {
    if (!std::exchange(begun_[mp4::slot(kind)], true)) {
      gap_.end = std::min(gap_.end, begin);
    }
    if (seam_ && !seam_->at) {
      seam_->at = begin;
    }
    plan_.end = std::max(plan_.end, end);
  }

  // `at`: of its first sample. The first part of a track is all that comes before, too.
  template <class Part>
  static void begin_part(std::vector<Part>& parts, const media::TrackConfig& config,
                         std::int64_t at) {
    const std::int64_t from_ms = parts.empty() ? 0 : at / kTicksInMs;
    if (!parts.empty()) {
      parts.back().clip.to_ms = from_ms;
    }
    Part& part = parts.emplace_back();
    part.config = config;
    part.clip.from_ms = from_ms;
    part.clip.only = media::kind_of(config.codec);
  }

  void on_pictures(const mp4::RunView& run) {
    const mp4::Sample& first = run.samples.front();
    const bool changed =
        plan_.pictures.empty() || !plan_.pictures.back().config.same_source(video_);
    if (changed || (seam_ && first.key)) {
      const std::int64_t at = first.dts + first.cts;
      begin_part(plan_.pictures, video_, at);
      if (seam_) {
        seam_->at = seam_->between_keys ? at : std::min(seam_->at.value_or(at), at);
        end_seam();
      }
    } else if (seam_) {
      seam_->between_keys = true;
    }
    PictureStretch stretch{mp4::kLongestTime, run.end_pts(), run.samples.size()};
    for (const mp4::Sample& sample : run.samples) {
      stretch.begin = std::min(stretch.begin, sample.dts + sample.cts);
      if (sample.key) {
        plan_.keys.push_back({sample.dts + sample.cts, plan_.pictures.size() - 1});
      }
    }
    plan_.pictures.back().stretches.push_back(stretch);
    on_media(TrackKind::kVideo, stretch.begin, stretch.end);
  }

  SourcePlan& plan_;
  std::uint64_t limit_;
  std::uint32_t sound_clock_ = 0;
  media::TrackConfig video_, audio_;
  std::optional<Pending> seam_;                   // in front of what comes
  Gap gap_;                                       // of the last mark, as far as is known
  std::array<bool, media::kTrackKinds> begun_{};  // samples of the track came behind it
  Bytes buffer_;
};

template <class Part>
Status place(SourcePlan& plan, mp4::IndexWalk& walk, std::vector<Part>& parts) {
  for (Part& part : parts) {
    auto selection = mp4::select_clip(*plan.file, walk, part.clip);
    if (!selection) {
      return std::move(selection).error();
    }
    part.begin = selection.value().shown.begin;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].end = i + 1 < parts.size() ? parts[i + 1].begin : plan.end;
  }
  return ok();
}

void place_ends(SourcePlan& plan) {
  for (PicturePart& part : plan.pictures) {
    const bool last = &part == &plan.pictures.back();
    part.pictures_end = last ? part.stretches.back().end : part.end;
    // The last one in it, unless pictures go on behind that.
    const auto behind =
        std::lower_bound(plan.gaps.begin(), plan.gaps.end(), part.end,
                         [](const Gap& gap, std::int64_t time) { return gap.begin < time; });
    if (!last && behind != plan.gaps.begin() &&
        std::prev(behind)->begin > part.stretches.back().begin) {
      part.pictures_end = std::prev(behind)->begin;
    }
  }
}

Result<mp4::Identity> read_identity(storage::File& file, const mp4::Head& head) {
  Bytes buffer;
  auto payload = mp4::read_private_box(file, head.size, head.file_size, mp4::kIdentityBox, buffer);
  return payload ? mp4::decode_identity(payload.value())
                 : Result<mp4::Identity>(std::move(payload).error());
}

}  // namespace

Result<SourcePlan> read_source(std::shared_ptr<storage::File> file) {
  SourcePlan plan;
  plan.file = std::move(file);
  auto head = mp4::read_head(*plan.file);
  if (!head) {
    return std::move(head).error();
  }
  if (!head.value().finished) {
    return Error{Errc::kConflict, "the recording is not finished"};
  }
  auto identity = read_identity(*plan.file, head.value());
  if (!identity) {
    return std::move(identity).error();
  }
  plan.identity = std::move(identity).value();
  auto walk = mp4::IndexWalk::open(*plan.file, head.value(), mp4::Committed{});
  if (!walk) {
    return std::move(walk).error();
  }
  PlanVisitor visitor(plan, walk.value().limit());
  RECORDING_TRY(walk.value().visit_all(visitor));
  visitor.finish();
  RECORDING_TRY(place(plan, walk.value(), plan.pictures));
  RECORDING_TRY(place(plan, walk.value(), plan.sounds));
  place_ends(plan);
  std::sort(plan.keys.begin(), plan.keys.end(),
            [](const KeyPicture& a, const KeyPicture& b) { return a.at < b.at; });
  return plan;
}

}  // namespace recording::processing
