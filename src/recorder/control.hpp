#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/live_state.hpp"

// Start and stop. The live state decides, under its lock, in whichever worker got the call; the
// answer is therefore final and needs no other process. The owner of the stream is woken to do it.
namespace recording::recorder {

struct Control {
  std::int32_t stream_index = runtime::kNone;
  std::int32_t recording_index = runtime::kNone;
  runtime::StreamRecord stream;        // as they are after the call
  runtime::RecordingRecord recording;  // in_use == 0: there is none
  std::int32_t wake_pid = 0;           // who has something to do now; 0: the housekeeper
};

// Errors of start: kNotFound: no such index; kConflict "stream_not_live": nobody publishes;
// kConflict "no_codec_configuration": media arrive that cannot be recorded, and why; kNoSpace
// "no_space": less than min_free left; kUnavailable: zone full, lock not had, or no video id yet.
// Already recording is no error: the same recording is given back. The Error's message is
// "code: sentence".
Result<Control> start_recording(runtime::LiveState& state, const Clock& clock,
                                std::int32_t stream_index, std::int64_t min_free_bytes);

// Ends the current recording; recording.in_use == 0 when nothing was being recorded (not an error).
Result<Control> stop_recording(runtime::LiveState& state, const Clock& clock,
                               std::int32_t stream_index);

// A new recording of the stream, in state kRequested, made its current one. video_id is 0 when no
// leased id is left.
Result<std::int32_t> add_recording(runtime::LiveState::Transaction& live, const Clock& clock,
                                   std::int32_t stream_index, bool automatic);

}  // namespace recording::recorder
