#include "recorder/control.hpp"

#include "base/strings.hpp"
#include "recorder/space.hpp"
#include "recorder/stream_settings.hpp"

namespace recording::recorder {
namespace {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

void fill(Control& control, const LiveState::Transaction& live, std::int32_t stream,
          std::int32_t recording) {
  control.stream_index = stream;
  control.recording_index = recording;
  control.stream = *live.stream(stream);
  if (const RecordingRecord* record = live.recording(recording); record != nullptr) {
    control.recording = *record;
  }
  control.wake_pid = control.stream.session.pid;
}

}  // namespace

Result<std::int32_t> add_recording(LiveState::Transaction& live, const Clock& clock,
                                   std::int32_t stream_index, bool automatic) {
  auto added = live.add_recording();
  if (!added) {
    return std::move(added).error();
  }
  const StreamRecord& stream = *live.stream(stream_index);
  RecordingRecord& record = live.edit_recording(added.value());
  record.state = RecordingState::kRequested;
  record.automatic = automatic ? 1 : 0;
  record.stream = stream_index;
  record.video_id = live.take_video_id();
  record.stream_id = stream.stream_id;
  record.recorded = stream.session.recorded;
  record.slug.assign(random_id());
  record.transaction_id.assign(random_id());
  record.sequence = 1;
  record.started_wall_ms = clock.wall_ms();
  record.interrupted_ms = clock.monotonic_ms();
  record.rules = stream.rules;
  live.edit_stream(stream_index).recording = added.value();
  return added.value();
}

Result<Control> start_recording(LiveState& state, const Clock& clock, std::int32_t stream_index,
                                std::int64_t min_free_bytes) {
  auto begun = state.begin();
  if (!begun) {
    return std::move(begun).error().wrap("live_state_busy");
  }
  LiveState::Transaction live = std::move(begun).value();
  Control control;
  const StreamRecord* stream = live.stream(stream_index);
  if (stream == nullptr) {
    return Error{Errc::kNotFound, "stream_not_found: there is no such stream"};
  }
  if (stream->recording != runtime::kNone) {
    fill(control, live, stream_index, stream->recording);
    const bool tentative = control.recording.tentative != 0;
    if (tentative) {
      RecordingRecord& record = live.edit_recording(stream->recording);
      record.tentative = record.automatic = 0;  // it is wanted, whatever the settings say
      control.recording = record;
    }
    if (stream->wanted == 0 && control.recording.automatic == 0) {
      live.edit_stream(stream_index).wanted = 1;
      control.stream.wanted = 1;
    }
    return control;
  }
  if (stream->session.id == 0) {
    return Error{Errc::kConflict,
                 "stream_not_live: nobody publishes this stream; start the encoder, or set "
                 "auto_record to record it from its first frame"};
  }
  if (stream->rules.recordable == 0) {
    return Error{Errc::kConflict,
                 "recording_off: nginx.conf has no \"recording on\" for this application"};
  }
  const runtime::TranscoderState playback = stream->playback.state;
  if (stream->session.recorded == runtime::Recorded::kRendition) {
    if (stream->rules.transcoded == 0) {
      return Error{Errc::kConflict,
                   "transcoder_off: record_type of this stream is \"transcoded\", but nginx.conf "
                   "has no \"transcoder on\" for this application; turn it on, or set record_type "
                   "to \"origin\", and reconnect the encoder"};
    }
    if (playback == runtime::TranscoderState::kRefused ||
        playback == runtime::TranscoderState::kFailed) {
      return Error{Errc::kConflict,
                   "no_rendition: record_type of this stream is \"transcoded\", but nothing is "
                   "transcoded in this session: " +
                       std::string(stream->playback.error.view())};
    }
  }
  if (stream->session.unrecordable != 0 && stream->session.video_codec == 0 &&
      stream->session.audio_codec == 0) {
    return Error{Errc::kConflict,
                 "no_codec_configuration: the encoder sends media without a codec configuration "
                 "that can be recorded (H.264, AAC or MP3 with sequence headers); reconnect it"};
  }
  const std::int64_t free_bytes = state.shared_gauges()->spool_free_bytes.get();
  if (free_bytes >= 0 && free_bytes < min_free_bytes) {
    return Error{Errc::kNoSpace, "no_space: " + in_words(space_of(state, min_free_bytes))};
  }
  auto added = add_recording(live, clock, stream_index, false);
  if (!added) {
    return std::move(added).error();
  }
  if (live.recording(added.value())->video_id == 0) {
    live.edit_stream(stream_index).recording = runtime::kNone;
    live.remove_recording(added.value());
    return Error{Errc::kUnavailable,
                 "catalog_unavailable: no video id is to be had because the catalogue has not "
                 "answered yet; try again"};
  }
  StreamRecord& edited = live.edit_stream(stream_index);
  edited.wanted = 1;
  edited.stopped = 0;
  fill(control, live, stream_index, added.value());
  return control;
}

Result<Control> stop_recording(LiveState& state, const Clock& clock, std::int32_t stream_index) {
  auto begun = state.begin();
  if (!begun) {
    return std::move(begun).error().wrap("live_state_busy");
  }
  LiveState::Transaction live = std::move(begun).value();
  Control control;
  const StreamRecord* stream = live.stream(stream_index);
  if (stream == nullptr) {
    return Error{Errc::kNotFound, "stream_not_found: there is no such stream"};
  }
  const std::int32_t index = stream->recording;
  StreamRecord& edited = live.edit_stream(stream_index);
  edited.wanted = 0;
  edited.stopped = edited.session.id != 0 ? 1 : 0;
  edited.recording = runtime::kNone;
  if (live.recording(index) != nullptr && live.recording(index)->tentative != 0) {
    withdraw(live, index);  // nobody was told of it
    fill(control, live, stream_index, runtime::kNone);
    return control;
  }
  if (live.recording(index) != nullptr) {
    RecordingRecord& record = live.edit_recording(index);
    if (record.state == RecordingState::kInterrupted) {
      state.metrics().count(runtime::InterruptionEnd::kStopped);
    }
    record.state = RecordingState::kEnding;
    record.ended_wall_ms = clock.wall_ms();
    record.end_reason.assign("stopped");
  }
  fill(control, live, stream_index, index);
  return control;
}

}  // namespace recording::recorder
