// What a session does about recording: whether, since when, into which recording, and until when.
#include <unistd.h>

#include <algorithm>

#include "base/strings.hpp"
#include "recorder/control.hpp"
#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "recorder/session.hpp"
#include "recorder/stream_settings.hpp"

namespace recording::recorder {
namespace {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

bool inside_window(const RecordingRecord& record, std::int64_t back_ms) {
  return back_ms - record.interrupted_ms < record.rules.reconnect_window_ms;
}

}  // namespace

// What should be happening, by the live state; makes it so. `leaving`: the encoder has gone; what
// it sent may still be made into a rendition, of which nothing is known yet.
void Session::decide(bool leaving) {
  if (mode_ == Mode::kRecording || left_) {
    return;
  }
  if (publisher_.rules.recordable == 0) {
    mode_ = Mode::kIdle;
    return;
  }
  auto begun = env_.state.begin();
  if (!begun) {
    return;
  }
  std::int32_t index = runtime::kNone;
  RecordingRecord record;
  bool sure = false, unmade = false;
  {
    LiveState::Transaction live = std::move(begun).value();
    const StreamRecord* stream = live.stream(stream_);
    if (stream == nullptr || stream->session.id != id_) {
      return;
    }
    index = stream->recording;
    if (live.recording(index) == nullptr) {
      index = runtime::kNone;
    }
    if (index != runtime::kNone) {
      record = *live.recording(index);
      if (recorded_ == runtime::Recorded::kNotKnown &&
          record.recorded == runtime::Recorded::kRendition) {
        return;  // so is this session, as look() will find
      }
      const bool other = recorded_ != runtime::Recorded::kNotKnown &&
                         (record.recorded == runtime::Recorded::kRendition) != takes_rendition();
      if (record.state != RecordingState::kRequested &&
          (other || !inside_window(record, back_ms()))) {
        // Too late for it: the housekeeper finishes it, and what comes now is a new recording.
        RecordingRecord& late = live.edit_recording(index);
        late.state = RecordingState::kEnding;
        late.end_reason.assign(other ? "record_type_changed" : "interrupted");
        env_.state.metrics().count(runtime::InterruptionEnd::kEnded);
        live.edit_stream(stream_).recording = runtime::kNone;
        index = runtime::kNone;
      }
    }
    // Until the catalogue has answered (or failed to), and while an earlier boot may have left a
    // recording that goes on, there is a tentative one: so that what comes is somebody's, should
    // this process be killed, or the encoder leave.
    const bool told = stream->settings_known != 0 || ask_again_ms_ != 0;
    sure = told && is_spool_known(live, env_.clock, first_message_ms_);
    const bool tentative = !sure && stream->wanted == 0;
    bool wants =
        stream->stopped == 0 && (tentative || stream->wanted != 0 || is_automatic(*stream));
    const bool described = run_->is_described();
    unmade = takes_rendition() && rendition_over_;
    wanted_ = wants || (index != runtime::kNone && record.state == RecordingState::kRequested);
    if (unmade) {
      if (index != runtime::kNone && record.state == RecordingState::kRequested) {
        RecordingRecord& never = live.edit_recording(index);
        never.state = RecordingState::kEnding;
        never.end_reason.assign("no_rendition");
        live.edit_stream(stream_).recording = runtime::kNone;
      } else if (index != runtime::kNone || !wants) {
        return;
      }
    } else if (!described) {
      const bool begins =
          index == runtime::kNone ? wants : record.state == RecordingState::kRequested;
      const bool owed = leaving && sure && begins && source().is_described();
      if (takes_rendition() ? !owed : begins && index == runtime::kNone) {
        return;  // what nobody can describe makes no file; the first configuration asks again
      }
    }
    wants = wants && !unmade;
    if (index == runtime::kNone && wants) {
      const std::int64_t free_bytes = env_.state.shared_gauges()->spool_free_bytes.get();
      if (free_bytes >= 0 && free_bytes < env_.min_free_bytes) {
        if (!no_space_noted_ && !tentative) {
          no_space_noted_ = true;
          env_.events.emit("recording.failed", event_stream(),
                           {{"error", std::string("no_space")}, {"free_bytes", free_bytes}});
        }
      } else if (auto added = add_recording(live, env_.clock, stream_, stream->wanted == 0);
                 added) {
        no_space_noted_ = false;
        index = added.value();
        live.edit_recording(index).tentative = tentative ? 1 : 0;
        record = *live.recording(index);
      } else if (!no_space_noted_) {
        no_space_noted_ = true;
        env_.log.write(LogLevel::kError, "recording of " + to_valid_utf8(publisher_.name) +
                                             " cannot begin: " + added.error().message);
      }
    }
  }
  if (unmade) {
    return note_no_rendition(rendition_error_);
  }
  if (index == runtime::kNone) {
    if (mode_ == Mode::kUndecided && sure) {
      mode_ = Mode::kIdle;
      keep_last_group();
    }
    return;
  }
  if (record.state == RecordingState::kRequested) {
    record_new(index);
  } else if (!go_on(index, record)) {
    mode_ = Mode::kUndecided;  // held elsewhere still; everything is kept until it is let go of
  }
  feed_held();
}

void Session::record_new(std::int32_t index) {
  RecordingRecord record;
  StreamRecord stream;
  {
    auto begun = env_.state.begin();
    if (!begun) {
      return;
    }
    const LiveState::Transaction live = std::move(begun).value();
    if (live.recording(index) == nullptr || live.stream(stream_) == nullptr) {
      return;
    }
    record = *live.recording(index);
    stream = *live.stream(stream_);
  }
  auto taken = Recording::take(env_, index, record, identity_of(record, stream));
  if (!taken) {
    env_.log.write(LogLevel::kError, "recording " + std::string(record.slug.view()) +
                                         " cannot begin: " + taken.error().message);
    return;
  }
  Seam seam;
  seam.session = run_->id;
  seam.fence = fence_;
  const bool headless = group_cut_ && run_->tracks[0].config() != nullptr && !begin_with_key();
  if ((publisher_.rules.preroll == 0 && mode_ == Mode::kIdle) || headless) {
    waiting_for_key_ = true;
    recording_from_ms_ = env_.clock.monotonic_ms();  // for the wait; see take_sample()
    forget_held();
  }
  attach(index, record, std::move(taken).value(), std::move(seam));
  recording_->tick();
}

// The recording is not to be: what it was given is held once more, for the one that takes its place
// or as the preroll.
void Session::take_back() {
  held_ = recording_->take_back();
  recording_->finish();
  keep_(std::move(recording_));
  recording_.reset();
  mode_ = Mode::kUndecided;
  seam_.reset();
  group_.clear();
  recording_from_known_ = false;
  recorded_codec_ = {};
}

// Arrival of the first message that nobody has been given.
std::int64_t Session::back_ms() const {
  const Batch* earliest = !held_.empty() ? held_.front().get() : run_->gatherer.gathering();
  return earliest != nullptr ? earliest->arrived_ms : env_.clock.monotonic_ms();
}

bool Session::go_on(std::int32_t index, const RecordingRecord& record) {
  const bool room = std::any_of(record.earlier.begin(), record.earlier.end(),
                                [](const auto& earlier) { return earlier.session == 0; });
  if (!room && record.session != 0) {
    return false;  // until some of them have been added to the file
  }
  mp4::Identity identity;
  if (!env_.changes.make_now([&](LiveState::Transaction& live) {
        identity = identity_of(record, *live.stream(stream_));
      })) {
    return false;
  }
  // It ended when the first message came that is held for it, not when the file can be had.
  const std::int64_t now = env_.clock.monotonic_ms();
  const std::int64_t back = back_ms();
  const std::int64_t gap_ms = std::max<std::int64_t>(back - record.interrupted_ms, 0);
  Seam seam;
  seam.session = run_->id;
  seam.fence = fence_;
  seam.ended_wall_ms = env_.clock.wall_ms() - (now - back);
  seam.began_wall_ms = seam.ended_wall_ms - gap_ms;
  seam.lost_ms = gap_ms;
  seam.keep_gap_ms = publisher_.rules.keep_gap != 0 ? gap_ms : 0;
  seam.reason = record.end_reason.size != 0 ? std::string(record.end_reason.view()) : "connection";
  recording_base_ms_ = env_.state.recording_gauges(index)->duration_ms.get() + seam.keep_gap_ms;
  for (const media::TrackKind kind : kBothKinds) {
    recorded_codec_[index_of(kind)] = static_cast<media::Codec>(record.codec[index_of(kind)]);
  }
  attach(index, record, Recording::join(env_, index, record, std::move(identity), run_->id),
         std::move(seam));
  recording_->tick();
  env_.state.metrics().count(runtime::InterruptionEnd::kResumed);
  env_.events.emit("recording.resumed", event_stream(),
                   {{"recording_id", std::string(record.slug.view())},
                    {"video_id", record.video_id},
                    {"lost_ms", gap_ms}});
  return true;
}

// What a manual start may want of what was held for another reason.
void Session::keep_last_group() {
  const Batch* gathering = run_->gatherer.gathering();
  const bool ends_here = gathering != nullptr && gathering->begins_with_key;
  if (publisher_.rules.preroll == 0 || run_->tracks[0].config() == nullptr) {
    forget_held();
  } else if (ends_here) {
    held_.clear();
  } else {
    const auto last = std::find_if(held_.rbegin(), held_.rend(),
                                   [](const auto& batch) { return batch->begins_with_key; });
    held_.erase(held_.begin(), last == held_.rend() ? held_.begin() : std::prev(last.base()));
  }
}

// Lets go of what is held in front of the first key frame. False: there is none.
bool Session::begin_with_key() {
  while (!held_.empty() && !held_.front()->begins_with_key) {
    held_.pop_front();
  }
  const Batch* gathering = run_->gatherer.gathering();
  return !held_.empty() || (gathering != nullptr && gathering->begins_with_key);
}

// Everything held belongs to the recording from here on; feed_held() hands it over.
void Session::attach(std::int32_t index, const RecordingRecord& record,
                     std::shared_ptr<Recording> recording, Seam seam) {
  PerKind<std::uint64_t> first = next_ordinals();
  if (!held_.empty()) {
    first = held_.front()->first_ordinal;
  } else if (run_->gatherer.gathering() != nullptr) {
    first = run_->gatherer.gathering()->first_ordinal;
  }
  env_.changes.make(
      [index, first, id = run_->id, slug = record.slug](LiveState::Transaction& live) {
        if (live.recording(index) == nullptr || live.recording(index)->slug.view() != slug.view()) {
          return;
        }
        RecordingRecord& active = live.edit_recording(index);
        if (active.state != RecordingState::kEnding) {
          active.state = RecordingState::kActive;
        }
        active.pid = static_cast<std::int32_t>(::getpid());
        if (active.session != 0) {
          // Until the journal of its last session has been added, that must be found after a kill.
          const auto free = std::find_if(active.earlier.begin(), active.earlier.end(),
                                         [](const auto& earlier) { return earlier.session == 0; });
          if (free != active.earlier.end()) {
            *free = {active.session, active.first_ordinal};
          }
        }
        active.bounded = 0;
        active.session = id;
        active.first_ordinal = first;
        active.end_reason.assign("");
        if (active.video_id == 0) {
          active.video_id = live.take_video_id();
        }
      });
  if (record.state == RecordingState::kRequested) {
    recording_base_ms_ = 0;
  }
  recording_ = std::move(recording);
  mode_ = Mode::kRecording;
  seam_ = std::move(seam);
  const Batch* earliest = !held_.empty() ? held_.front().get() : run_->gatherer.gathering();
  recording_from_known_ = earliest != nullptr && !waiting_for_key_;
  if (recording_from_known_) {
    recording_from_ms_ = earliest->first_ms;
  }
}

// Whether the batch cannot go where the recording's samples are.
bool Session::has_other_codec(const Batch& batch) const {
  for (std::size_t i = 0; i < media::kTrackKinds; ++i) {
    if (batch.count[i] != 0 && recorded_codec_[i] != media::Codec::kNone &&
        recorded_codec_[i] != batch.config[i]->codec) {
      return true;
    }
  }
  return false;
}

// Noted in the live state before the first sample of a track is copied: whoever continues the
// recording must know it.
void Session::note_codec(media::TrackKind kind, media::Codec codec) {
  const std::size_t i = index_of(kind);
  if (recorded_codec_[i] != media::Codec::kNone) {
    return;
  }
  recorded_codec_[i] = codec;
  env_.changes.make([index = recording_->index(), slug = recording_->identity().slug, i,
                     codec](LiveState::Transaction& live) {
    if (live.recording(index) != nullptr && live.recording(index)->slug.view() == slug) {
      live.edit_recording(index).codec[i] = static_cast<std::uint8_t>(codec);
    }
  });
}

// The codec may have changed since the recording was interrupted, and while it was not known yet
// whether it goes on.
void Session::feed_held() {
  const Batch* gathering = run_->gatherer.gathering();
  if (mode_ == Mode::kRecording && gathering != nullptr && has_other_codec(*gathering)) {
    held_.push_back(run_->gatherer.cut(run_->tracks, std::nullopt, 0));
  }
  while (mode_ == Mode::kRecording && !held_.empty()) {
    const Batch& next = *held_.front();
    if (has_other_codec(next)) {
      divide(next.first_ms, "codec_changed", next.first_ordinal);
      if (mode_ != Mode::kRecording) {
        return;
      }
    }
    std::unique_ptr<Batch> batch = std::move(held_.front());
    held_.pop_front();
    for (const media::TrackKind kind : kBothKinds) {
      if (batch->count[index_of(kind)] != 0) {
        note_codec(kind, batch->config[index_of(kind)]->codec);
      }
    }
    batch_ready(std::move(batch));
  }
}

// `end`: the first samples that are not of it.
void Session::stop_recording(const PerKind<std::uint64_t>& end) {
  env_.changes.make([index = recording_->index(), slug = recording_->identity().slug,
                     end](LiveState::Transaction& live) {
    const RecordingRecord* record = live.recording(index);
    if (record != nullptr && record->slug.view() == slug) {
      RecordingRecord& ended = live.edit_recording(index);
      ended.bounded = 1;
      ended.end_ordinal = end;
    }
  });
  recording_->finish();
  keep_(std::move(recording_));
  recording_.reset();
  mode_ = Mode::kIdle;
  seam_.reset();
  waiting_for_key_ = false;
  dropping_ = false;
  recording_base_ms_ = 0;
  recorded_codec_ = {};
  held_.swap(group_);
  group_.clear();
  group_cut_ = held_.empty();
}

// recording_max_duration is reached and a key frame is here, or a track has another codec: the
// sample at hand, or the first batch that is held, begins the next part.
void Session::divide(std::int64_t at_ms, const char* reason, const PerKind<std::uint64_t>& end) {
  std::int32_t next = runtime::kNone;
  const std::int32_t now = recording_->index();
  {
    auto begun = env_.state.begin();
    if (!begun) {
      return;  // the next key frame does
    }
    LiveState::Transaction live = std::move(begun).value();
    const RecordingRecord* part = live.recording(now);
    if (part == nullptr || part->state != RecordingState::kActive) {
      return;
    }
    auto added = add_recording(live, env_.clock, stream_, part->automatic != 0);
    if (!added) {
      live.edit_stream(stream_).recording = now;
      env_.log.write(LogLevel::kError,
                     "a recording longer than recording_max_duration cannot be divided now: " +
                         added.error().message);
      return;
    }
    next = added.value();
    RecordingRecord& later = live.edit_recording(next);
    later.transaction_id = live.recording(now)->transaction_id;
    later.sequence = live.recording(now)->sequence + 1;
    later.tentative = live.recording(now)->tentative;
    RecordingRecord& ended = live.edit_recording(now);
    ended.state = RecordingState::kEnding;
    ended.ended_wall_ms = env_.clock.wall_ms();
    ended.end_reason.assign(reason);
    ended.bounded = 1;
    ended.end_ordinal = end;
  }
  std::deque<std::unique_ptr<Batch>> rest;
  rest.swap(held_);
  stop_recording(end);
  held_.swap(rest);
  group_cut_ = false;
  recording_from_ms_ = at_ms;
  mode_ = Mode::kUndecided;  // what is held is nothing; the key frame that follows must be kept
  record_new(next);
}

}  // namespace recording::recorder
