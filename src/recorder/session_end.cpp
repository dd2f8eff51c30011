// How a session ends, for good or for a while.
#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "recorder/session.hpp"
#include "recorder/session_history.hpp"

namespace recording::recorder {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

void Session::end(SessionEnd how) {
  if (stream_ == runtime::kNone) {
    return;  // it never got the name
  }
  if (!fell_silent_) {
    decide(true);  // what somebody has just been promised, and this worker has not seen yet
  }
  write_gauges();
  note_passed_over();
  batch_ready(run_->gatherer.cut(run_->tracks, std::nullopt, 0));
  left_ = true;
  const bool final = publisher_.rules.reconnect_window_ms == 0 ||
                     (how == SessionEnd::kGoodbye && publisher_.rules.end_on_unpublish != 0);
  const std::int32_t index = recording_ != nullptr ? recording_->index() : runtime::kNone;
  const auto history = std::make_shared<catalog::SessionRow>();
  env_.changes.make([stream_index = stream_, id = id_, index, final, how, history,
                     wall = env_.clock.wall_ms()](LiveState::Transaction& live) {
    if (const StreamRecord* stream = live.stream(stream_index);
        stream != nullptr && stream->session.id == id) {
      *history = session_row(*stream);
      StreamRecord& ended = live.edit_stream(stream_index);
      ended.session = {};
      ended.stopped = 0;
      if (final) {
        const RecordingRecord* left = live.recording(ended.recording);
        const bool waits = left != nullptr && left->state == RecordingState::kInterrupted;
        if (waits) {  // for a transcoder
          live.edit_recording(ended.recording).state = RecordingState::kEnding;
        }
        if (waits || ended.recording == index) {
          ended.recording = runtime::kNone;
        }
        ended.wanted = 0;
      }
    }
    if (live.recording(index) != nullptr &&
        live.recording(index)->state == RecordingState::kActive) {
      RecordingRecord& record = live.edit_recording(index);
      record.state = final ? RecordingState::kEnding : RecordingState::kInterrupted;
      record.ended_wall_ms = wall;
      record.interrupted_ms = live.stream(record.stream)->last_message_ms.get();
      record.end_reason.assign(how == SessionEnd::kGoodbye ? "unpublished" : "connection");
    }
  });
  left_for_good_ = final;
  if (recording_ != nullptr && !final) {
    tell_interrupted();
  } else if (recording_ != nullptr &&
             (how == SessionEnd::kInterrupted || publisher_.rules.end_on_unpublish == 0)) {
    env_.state.metrics().count(runtime::InterruptionEnd::kEnded);
  }
  if (takes_rendition() && mode_ == Mode::kUndecided && wanted_) {
    note_no_rendition("the encoder left before anything was transcoded");
  }
  if (!takes_rendition() || rendition_over_) {
    leave_recording(final);
  }
  env_.events.emit("stream.ended", event_stream(), {});
  keep_ended(*history, how == SessionEnd::kGoodbye ? "unpublished" : leaves_because_,
             env_.clock.wall_ms());
  lock_.reset();
  env_.wakeup.wake_all();  // somebody may be waiting for the name
}

// `row`: what the live state said, as far as its lock was to be had.
void Session::keep_ended(catalog::SessionRow row, const char* reason, std::int64_t ended_at) {
  row.stream_id = stream_id_;
  row.id = begun_.id;
  row.started_at = begun_.started_at;
  row.ended_at = ended_at;
  row.end_reason = reason;
  row.bytes = bytes_in_ - bytes_before_;
  recorder::keep_ended(env_.catalog, publisher_.app, publisher_.name, std::move(row));
}

void Session::tell_interrupted() {
  env_.events.emit("recording.interrupted", event_stream(),
                   {{"recording_id", recording_->identity().slug},
                    {"video_id", recording_->identity().video_id},
                    {"window_ms", publisher_.rules.reconnect_window_ms}});
}

// What has been gathered is the recording's still.
void Session::leave_recording(bool for_good) {
  batch_ready(run_->gatherer.cut(run_->tracks, std::nullopt, 0));
  held_.clear();
  if (recording_ == nullptr) {
    return;
  }
  if (for_good) {
    recording_->finish();
  } else {
    recording_->let_go();
  }
  keep_(std::move(recording_));
  recording_.reset();
}

// Connected but silent for the whole window: an interruption like any other, and too long a one.
void Session::end_silent() {
  fell_silent_ = true;
  env_.state.metrics().count(runtime::InterruptionEnd::kEnded);
  const auto history = std::make_shared<catalog::SessionRow>();
  env_.changes.make([index = recording_->index(), stream = stream_, history,
                     last = last_media_ms_](LiveState::Transaction& live) {
    if (live.recording(index) == nullptr) {
      return;
    }
    *history = session_row(*live.stream(stream));
    RecordingRecord& record = live.edit_recording(index);
    record.state = RecordingState::kEnding;
    record.interrupted_ms = last;
    record.end_reason.assign("silent");
    if (live.stream(stream)->recording == index) {
      live.edit_stream(stream).recording = runtime::kNone;
    }
  });
  keep_ended(*history, "silent",
             env_.clock.wall_ms() - (env_.clock.monotonic_ms() - last_media_ms_));
  batch_ready(run_->gatherer.cut(run_->tracks, std::nullopt, 0));
  stop_recording(next_ordinals());
  forget_held();
  group_cut_ = true;
  mode_ = Mode::kUndecided;
}

// The first message after such a silence: a new session of the same connection.
void Session::begin_again() {
  begun_.started_at = env_.clock.wall_ms();
  bytes_before_ = bytes_in_;
  keep_begun();
  env_.changes.make(
      [id = id_, stream = stream_, wall = begun_.started_at](LiveState::Transaction& live) {
        if (live.stream(stream) != nullptr && live.stream(stream)->session.id == id) {
          StreamRecord& again = live.edit_stream(stream);
          again.stopped = 0;
          again.session.started_wall_ms = wall;
        }
      });
  look();
}

}  // namespace recording::recorder
