#include "mp4/append_plan.hpp"

#include <algorithm>
#include <limits>

namespace recording::mp4 {
namespace {

using media::TrackConfig;
using media::TrackKind;

Error invalid(const char* what) { return Error{Errc::kInvalidArgument, what}; }

Status take_runs(AppendPlan& plan, std::span<const Run> runs) {
  for (TrackKind kind : kTrackOrder) {
    std::size_t of_this_kind = 0;
    for (const Run& run : runs) {
      if (run.kind != kind || run.samples.empty()) {
        continue;
      }
      const RunView view{run.kind, run.samples, run.last_duration};
      std::uint64_t bytes = 0;
      for (const iovec& piece : run.pieces) {
        bytes += piece.iov_len;
      }
      if (++of_this_kind > 1 || bytes != view.bytes()) {
        return invalid(
            "a run whose bytes are not those of its samples, or a second one of a track");
      }
      plan.runs.push_back(view);
      plan.pieces.insert(plan.pieces.end(), run.pieces.begin(), run.pieces.end());
      plan.media_bytes += bytes;
    }
  }
  return ok();
}

Status check_config(TrackKind kind, const TrackConfig& config) {
  if (config.codec == media::Codec::kNone || media::kind_of(config.codec) != kind ||
      config.timescale == 0 || config.default_duration > kMaxStep ||
      config.record.size() > std::numeric_limits<std::uint16_t>::max()) {
    return invalid("a configuration that this track cannot have");
  }
  return ok();
}

// The trex default is fixed with the track: what most samples are said to last, else what the first
// one does.
TrackSetup setup_of(const TrackConfig& config, const RunView& run) {
  return {config, config.timescale,
          config.default_duration != 0 ? config.default_duration : run.duration(0)};
}

Status take_config(AppendPlan& plan, const FileState& state, TrackKind kind,
                   const TrackConfig* config) {
  const auto run = std::find_if(plan.runs.begin(), plan.runs.end(),
                                [&](const RunView& view) { return view.kind == kind; });
  const auto& track = state.track(kind);
  if (!track && run == plan.runs.end()) {
    return ok();  // no track is declared before it has a sample
  }
  if (config == nullptr) {
    return track ? ok() : invalid("samples of a track without its configuration");
  }
  RECORDING_TRY(check_config(kind, *config));
  auto& current = plan.current[slot(kind)];
  if (!track) {
    current = setup_of(*config, *run);
    plan.head[slot(kind)] = current;
    plan.new_tracks = true;
  } else if (track->setup.config.same_source(*config)) {
    return ok();
  } else if (track->setup.config.codec != config->codec) {
    return invalid("a change of codec needs a new file");
  } else {
    current->config = *config;
  }
  plan.changed |= static_cast<std::uint8_t>(1U << slot(kind));
  return ok();
}

}  // namespace

Result<AppendPlan> AppendPlan::make(const FileState& state, const Fragment& fragment) {
  AppendPlan plan;
  RECORDING_TRY(take_runs(plan, fragment.runs));
  if (const char* why = state.refuse(plan.runs)) {
    return invalid(why);
  }
  if (fragment.mark && fragment.mark->reason.size() > kMaxReason) {
    return invalid("the reason of a mark is too long");
  }
  plan.current = state.setups();
  plan.head = state.head_setups();
  for (TrackKind kind : kTrackOrder) {
    RECORDING_TRY(take_config(plan, state, kind, fragment.config[slot(kind)]));
  }
  for (const RunView& run : plan.runs) {
    const std::int64_t timescale = plan.current[slot(run.kind)]->timescale;
    const std::int64_t dts = run.samples.front().dts;
    const std::int64_t ms = dts / timescale * 1000 + dts % timescale * 1000 / timescale;
    plan.begin_ms = std::min(plan.begin_ms.value_or(ms), ms);
  }
  const bool seam = fragment.mark.has_value() || plan.changed != 0;
  if (seam && state.epochs() > 0 && plan.runs.size() == media::kTrackKinds) {
    const auto pictures =
        std::find_if(fragment.runs.begin(), fragment.runs.end(),
                     [](const Run& run) { return run.kind == TrackKind::kVideo; });
    plan.put_sound_ahead(pictures->pieces.size());
  }
  return plan;
}

void AppendPlan::put_sound_ahead(std::size_t picture_pieces) {
  RunView& sound = runs.back();
  ahead = RunView{sound.kind, sound.samples.first(1), sound.duration(0)};
  const auto first = pieces.begin() + static_cast<std::ptrdiff_t>(picture_pieces);
  auto behind = first;
  for (std::uint64_t bytes = 0; bytes < ahead->bytes(); ++behind) {
    bytes += behind->iov_len;
  }
  ahead_pieces.assign(first, behind);
  pieces.erase(first, behind);
  media_bytes -= ahead->bytes();
  sound.samples = sound.samples.subspan(1);
  if (sound.samples.empty()) {
    runs.pop_back();
  }
}

}  // namespace recording::mp4
