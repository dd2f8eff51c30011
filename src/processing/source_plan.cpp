#include "processing/source_plan.hpp"

#include <algorithm>
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
    if (note.kind != mp4::NoteKind::kEpoch) {
      return ok();
    }
    auto epoch = mp4::read_epoch(*plan_.file, note.offset, limit_, buffer_);
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
    return ok();
  }

  Status on_run(const mp4::IndexedRun& run) override {
    const mp4::RunView view{run.kind, run.samples, run.last_duration};
    if (run.kind == TrackKind::kVideo) {
      on_pictures(view);
    } else if (sound_clock_ != 0) {
      begin_part(plan_.sounds, audio_, ticks(run.samples.front().dts));
      plan_.end = std::max(plan_.end, ticks(view.end_dts()));
    }
    return ok();
  }

 private:
  [[nodiscard]] std::int64_t ticks(std::int64_t dts) const {
    return mp4::rescale(dts, sound_clock_, kTicks);
  }

  // `at`: of its first sample. The first part of a track is all that comes before, too.
  template <class Part>
  static void begin_part(std::vector<Part>& parts, const media::TrackConfig& config,
                         std::int64_t at) {
    if (!parts.empty() && parts.back().config.same_source(config)) {
      return;
    }
    const std::int64_t from_ms = parts.empty() ? 0 : at / kTicksInMs;
    if (!parts.empty()) {
      parts.back().clip.to_ms = from_ms;
      parts.back().end = from_ms * kTicksInMs;
    }
    Part& part = parts.emplace_back();
    part.config = config;
    part.clip.from_ms = from_ms;
    part.clip.only = media::kind_of(config.codec);
  }

  void on_pictures(const mp4::RunView& run) {
    const mp4::Sample& first = run.samples.front();
    begin_part(plan_.pictures, video_, first.dts + first.cts);
    PictureStretch stretch{mp4::kLongestTime, run.end_pts(), run.samples.size()};
    for (const mp4::Sample& sample : run.samples) {
      stretch.begin = std::min(stretch.begin, sample.dts + sample.cts);
      if (sample.key) {
        plan_.keys.push_back({sample.dts + sample.cts, plan_.pictures.size() - 1});
      }
    }
    plan_.pictures.back().stretches.push_back(stretch);
    plan_.end = std::max(plan_.end, stretch.end);
  }

  SourcePlan& plan_;
  std::uint64_t limit_;
  std::uint32_t sound_clock_ = 0;
  media::TrackConfig video_, audio_;
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
  if (!parts.empty()) {
    parts.back().end = plan.end;
  }
  return ok();
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
  RECORDING_TRY(place(plan, walk.value(), plan.pictures));
  RECORDING_TRY(place(plan, walk.value(), plan.sounds));
  std::sort(plan.keys.begin(), plan.keys.end(),
            [](const KeyPicture& a, const KeyPicture& b) { return a.at < b.at; });
  return plan;
}

}  // namespace recording::processing
