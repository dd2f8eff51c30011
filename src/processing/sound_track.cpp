#include "processing/sound_track.hpp"

#include <algorithm>
#include <utility>

#include "mp4/rescale.hpp"
#include "processing/encode_command.hpp"

namespace recording::processing {

Status SoundTrack::begin_part() {
  if (next_ == source_.sounds.size()) {
    return ok();
  }
  const SourcePart& part = source_.sounds[next_++];
  auto clip = MovieSource::open(source_.file, part.clip);
  if (!clip) {
    return std::move(clip).error();
  }
  auto run = EncoderRun::start(tools_, sound_arguments(part, output_), std::move(clip).value());
  if (!run) {
    return std::move(run).error();
  }
  run_ = std::move(run).value();
  described_ = false;
  return ok();
}

Status SoundTrack::take_until(std::int64_t time) {
  while (until_ < time && run_ != nullptr) {
    auto sample = run_->next();
    if (!sample) {
      return std::move(sample).error();
    }
    RECORDING_TRY(sample.value() ? take_one(*sample.value()) : end_part());
  }
  return ok();
}

Status SoundTrack::take_one(const OwnedSample& sample) {
  if (!std::exchange(described_, true)) {
    for (std::size_t i = 0; i < run_->tracks().size(); ++i) {
      RECORDING_TRY(handlers_.begin(i, run_->tracks()[i]));
    }
  }
  // What the encoder put in front of the first sound.
  if (sample.pts < 0) {
    return ok();
  }
  const std::uint32_t clock = run_->tracks()[sample.track].timescale;
  const std::int64_t begin = mp4::rescale(source_.sounds[next_ - 1].begin, kTicks, clock);
  OwnedSample placed = sample;
  placed.dts += begin;
  placed.pts += begin;
  // The other bit rates are as far but for one fragment of the encoder's.
  if (sample.track + 1 == run_->tracks().size()) {
    until_ = mp4::rescale(placed.pts, clock, kTicks);
  }
  return handlers_.add(placed);
}

Status SoundTrack::end_part() {
  const SourcePart& part = source_.sounds[next_ - 1];
  const Status end = run_->end();
  if (!end) {
    auto error = end;
    if (error.error().code == Errc::kUnavailable) {
      return error;
    }
    missing_.add_silence(std::max(until_, part.begin), part.end, error.error().message);
  }
  until_ = std::max(until_, part.end);
  run_ = nullptr;
  return begin_part();
}

}  // namespace recording::processing
