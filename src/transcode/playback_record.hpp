#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/live_state.hpp"
#include "transcode/frozen_source.hpp"
#include "transcode/ladder.hpp"
#include "transcode/measurement.hpp"

namespace recording::transcode {

// What the live state holds of a playback, back and forth. Texts are cut to what fits there.
runtime::FrozenRecord to_record(const FrozenSource& source);
runtime::SourceFacts facts_of(const Measured& measured);
FrozenSource frozen_from(const runtime::FrozenRecord& record);
Measured measured_from(const runtime::StreamRecord& stream);

// Tells all workers of one session's live playback, by the record of its stream. Event loop only;
// nothing blocks longer than the lock of the live state. What could not be written is written with
// the next flush().
class PlaybackRecord {
 public:
  // `session`: its id in the stream's record; nothing is written into another session's.
  PlaybackRecord(runtime::LiveState& state, std::string app, std::string name,
                 std::uint64_t session)
      : state_(state), app_(std::move(app)), name_(std::move(name)), session_(session) {}

  void set_state(runtime::TranscoderState state, const std::string& error = {});
  void set_restarts(int restarts);
  void set_source(const FrozenSource& source, const Ladder& ladder);
  // Some times a second: gauges, which cost nothing, and the rest only where it changed.
  void set_measured(const Measured& measured, std::uint32_t drift);
  // Of ffmpeg, in 1000: 1000 keeps up.
  void set_speed(std::uint32_t milli);
  // Groups of pictures that were left out, of the whole session.
  void set_dropped(std::uint64_t groups);

  // Writes what has changed; cheap when nothing has.
  void flush();

 private:
  [[nodiscard]] runtime::StreamRecord* gauges();

  runtime::LiveState& state_;
  std::string app_, name_;
  runtime::LivePlayback playback_;
  bool changed_ = false;
  std::uint64_t session_;
  std::int32_t index_ = runtime::kNone;  // of the record, once it was found
};

}  // namespace recording::transcode
