// A session of which the best rendition is recorded, and not what the encoder sends.
#include <algorithm>

#include "base/strings.hpp"
#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "recorder/session.hpp"
#include "recorder/stream_settings.hpp"

namespace recording::recorder {

using runtime::LiveState;
using runtime::Recorded;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

// What was told of already stays what it is, and goes on as that; else the stream's setting counts,
// or, when the catalogue does not say it, the source.
void Session::choose_recorded(LiveState::Transaction& live) {
  if (recorded_ != Recorded::kNotKnown) {
    return;
  }
  const StreamRecord& stream = *live.stream(stream_);
  const std::int32_t index = recording_ != nullptr ? recording_->index() : stream.recording;
  const RecordingRecord* record = live.recording(index);
  const bool is_told = recording_ != nullptr && record != nullptr && record->tentative == 0 &&
                       !is_withdrawn(*record);
  const RecordingRecord* left = live.recording(stream.recording);
  if (is_told || publisher_.rules.recordable == 0) {
    recorded_ = Recorded::kSource;
  } else if (stream.settings_known != 0) {
    recorded_ = stream.record_type;
  } else if (left != nullptr && left->state == RecordingState::kInterrupted &&
             left->recorded == Recorded::kRendition) {
    recorded_ = Recorded::kRendition;
  } else if (ask_again_ms_ != 0) {
    recorded_ = Recorded::kSource;
  } else {
    return;
  }
  live.edit_stream(stream_).session.recorded = recorded_;
  if (record != nullptr && record->recorded == Recorded::kNotKnown && !is_withdrawn(*record)) {
    live.edit_recording(index).recorded = recorded_;
  }
}

void Session::take_rendition() {
  source_ = std::move(run_);
  source_->gatherer.forget();
  begin_run();
}

// What comes now has nothing to do with what came before.
void Session::begin_run() {
  run_ = std::make_unique<Run>(env_.segments, publisher_.rules);
  mode_ = Mode::kUndecided;
  held_.clear();
  group_.clear();
  seam_.reset();
  recorded_codec_ = {};
  last_ms_ = 0;
  waiting_for_key_ = group_cut_ = recording_from_known_ = dropping_ = false;
  env_.changes.make([stream = stream_, id = id_, run = run_->id](LiveState::Transaction& live) {
    if (live.stream(stream) != nullptr && live.stream(stream)->session.id == id) {
      live.edit_stream(stream).session.recorded_id = run;
    }
  });
}

void Session::declare_rendition_rate(double frames_per_second) {
  if (takes_rendition()) {
    run_->tracks[0].declare_frame_rate(frames_per_second);
  }
}

// For the recording it is as if the encoder had gone away.
void Session::interrupt_rendition() {
  if (!takes_rendition() || left_ || stream_ == runtime::kNone) {
    return;
  }
  if (recording_ != nullptr) {
    const bool final = publisher_.rules.reconnect_window_ms == 0;
    batch_ready(run_->gatherer.cut(run_->tracks, std::nullopt, 0));
    env_.changes.make([stream = stream_, index = recording_->index(),
                       slug = recording_->identity().slug, final, last = last_media_ms_,
                       wall = env_.clock.wall_ms()](LiveState::Transaction& live) {
      const RecordingRecord* active = live.recording(index);
      if (active == nullptr || active->slug.view() != slug ||
          active->state != RecordingState::kActive) {
        return;
      }
      RecordingRecord& record = live.edit_recording(index);
      record.state = final ? RecordingState::kEnding : RecordingState::kInterrupted;
      record.ended_wall_ms = wall;
      record.interrupted_ms = last;
      record.end_reason.assign("transcoder");
      if (final && live.stream(stream)->recording == index) {
        live.edit_stream(stream).recording = runtime::kNone;
        live.edit_stream(stream).wanted = 0;
      }
    });
    if (final) {
      env_.state.metrics().count(runtime::InterruptionEnd::kEnded);
    } else {
      tell_interrupted();
    }
    leave_recording(final);
  }
  begin_run();
}

void Session::end_rendition(std::string why) {
  if (rendition_over_) {
    return;
  }
  if (left_) {
    if (recording_ != nullptr && !run_->is_described()) {
      note_no_rendition(why.empty() ? "the encoder left before anything was transcoded" : why);
    }
    leave_recording(left_for_good_);
  } else {
    interrupt_rendition();
  }
  rendition_over_ = true;
  rendition_error_ = std::move(why);
  decide();  // tells of it, should it be wanted
}

void Session::note_no_rendition(const std::string& why) {
  if (no_rendition_noted_) {
    return;
  }
  const std::string name = to_valid_utf8(publisher_.app) + "/" + to_valid_utf8(publisher_.name);
  no_rendition_noted_ = true;
  env_.log.write(LogLevel::kError, name +
                                       " is not recorded: its record_type is \"transcoded\", and " +
                                       (why.empty() ? "nothing is transcoded" : why));
  env_.events.emit("recording.failed", event_stream(),
                   {{"error", std::string("no_rendition")}, {"message", why}});
}

}  // namespace recording::recorder
