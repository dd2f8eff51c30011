// The end of a recording: its file is finished or removed, the live state and the catalogue learn
// of it.
#include "base/strings.hpp"
#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "recorder/outcome_row.hpp"
#include "recorder/recording.hpp"

namespace recording::recorder {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;

// Tells the log and the catalogue of the recording that has begun.
void Recording::announce(std::int64_t stream_id, std::int64_t video_id) {
  row_.stream_id = stream_id;
  row_.id = video_id;
  env_.events.emit("recording.started", {identity_.app, identity_.stream, stream_id},
                   {{"recording_id", identity_.slug},
                    {"video_id", video_id},
                    {"automatic", identity_.automatic},
                    {"sequence", std::int64_t{identity_.sequence}}});
  env_.catalog.write(
      [row = row_, identity = identity_](catalog::Catalog& catalog) -> Status {
        return row.id == 0 ? ok() : put_recording_row(catalog, identity, row);
      },
      [](Status) {});  // told again when it ends
}

void Recording::post_conclusion() {
  mp4::Identity identity = identity_;
  {
    auto begun = env_.state.begin();
    if (!begun) {
      return;  // the next tick tries again
    }
    const LiveState::Transaction live = std::move(begun).value();
    const RecordingRecord* record = live.recording(index_);
    // A part of a divided recording is kept however short it is.
    if (identity.sequence > 1 || (record != nullptr && record->slug.view() == identity.slug &&
                                  has_later_part(live, *record))) {
      identity.min_duration_ms = 0;
    }
  }
  busy_ = true;
  const bool posted = post(
      env_.finish,
      [writer = writer_, files = files_, spool = env_.spool, storage = env_.storage,
       identity = std::move(identity)]() mutable {
        if (writer == nullptr) {
          auto before = concluded_before(*files, storage, identity);
          const bool tells =
              before || before.error().code == Errc::kIo || before.error().code == Errc::kNoSpace;
          if (tells) {  // an error of the disk does not mean that there is nothing
            return before;
          }
        }
        auto outcome = conclude(*files, spool, storage, identity, writer.get());
        writer.reset();  // else the event loop might close what was removed
        return outcome;
      },
      [self = shared_from_this(), watch = runtime::Stopwatch()](Result<Outcome> outcome) {
        self->busy_ = false;
        if (outcome && outcome.value().error.empty()) {
          self->env_.state.metrics().finalizations.add(watch.us());
        }
        self->concluded(std::move(outcome));
      });
  if (!posted) {
    busy_ = false;  // the next tick tries again
  }
}

void Recording::concluded(Result<Outcome> outcome) {
  if (!outcome) {
    if (is_suspect()) {
      env_.state.recording_gauges(index_)->suspect_from.set(-1);
    }
    if (is_suspect() && outcome.error().code == Errc::kCorrupt) {
      give_up(outcome.error());
    } else {
      failed(outcome.error(), "finish");
    }
    return;
  }
  retry_step_ms_ = 0;
  release(env_.finish, std::move(writer_));
  count_bytes(outcome.value().size);
  if (!settled_error_.empty() && !outcome.value().error.empty()) {
    outcome.value().error = settled_error_;
  }
  settle(std::move(outcome).value());
}

// Nothing more can be done for the file: it stays in the spool for a person to look at.
void Recording::give_up(const Error& error) {
  env_.log.write(LogLevel::kCrit, "recording " + identity_.slug +
                                      " is left as it is in the spool: " + error.message);
  discontinued_ = true;
  queue_.clear();
  release(env_.finish, std::move(writer_));
  Outcome outcome;
  outcome.identity = identity_;
  outcome.error = "unreadable";
  settle(std::move(outcome));
}

void Recording::settle(Outcome outcome) {
  stage_ = Stage::kSettling;
  outcome_ = std::move(outcome);
  pump();
}

void Recording::tell_outcome() {
  std::string reason = "ended";
  bool has_later = false;
  const bool told = env_.changes.make_now([&](LiveState::Transaction& live) {
    const RecordingRecord* found = live.recording(index_);
    if (found == nullptr || found->slug.view() != identity_.slug) {
      return;
    }
    RecordingRecord& record = live.edit_recording(index_);
    record.state = RecordingState::kSettled;
    record.error.assign(outcome_->error);
    if (outcome_->ended_wall_ms == 0) {
      outcome_->ended_wall_ms = record.ended_wall_ms;
    }
    if (record.video_id != 0) {
      row_.id = record.video_id;  // it may have been leased after the file was begun
      row_.stream_id = record.stream_id;
    }
    if (record.end_reason.size != 0) {
      reason = record.end_reason.view();
    }
    has_later = has_later_part(live, record);
    // Its record goes soon, and its place may become another stream's.
    if (live.stream(record.stream) != nullptr && live.stream(record.stream)->recording == index_) {
      live.edit_stream(record.stream).recording = runtime::kNone;
    }
  });
  if (!told) {
    return;  // the next tick tries again
  }
  Outcome outcome = std::move(*outcome_);
  outcome_.reset();
  if (outcome.ended_wall_ms == 0) {
    outcome.ended_wall_ms = env_.clock.wall_ms();
  }
  describe_outcome(outcome, row_);
  row_.last_sequence = !has_later;

  Events::Facts facts = {{"recording_id", identity_.slug},
                         {"video_id", row_.id},
                         {"duration_ms", outcome.duration_ms},
                         {"size", row_.origin_size},
                         {"reason", reason}};
  const EventStream stream{identity_.app, identity_.stream, row_.stream_id};
  if (outcome.error.empty()) {
    env_.events.emit("recording.completed", stream, facts);
    env_.events.emit("video.viewable", stream,
                     {{"recording_id", identity_.slug}, {"video_id", row_.id}});
  } else {
    facts.back() = {"reason", outcome.error};
    if (settled_error_.empty()) {  // else its holder before had counted it
      env_.state.metrics().count_discarded(outcome.error);
    }
    env_.events.emit("recording.discarded", stream, facts);
  }
  pump();
}

void Recording::put_row() {
  busy_ = true;
  env_.catalog.write(
      [row = row_, identity = identity_](catalog::Catalog& catalog) {
        return put_recording_row(catalog, identity, row);
      },
      [self = shared_from_this()](Status status) {
        self->busy_ = false;
        if (!status) {
          self->failed(status.error(), "catalogue");
          return;
        }
        self->forget();
      });
}

// The live state need not know of it any longer.
void Recording::forget() {
  env_.changes.make([self = shared_from_this()](LiveState::Transaction& live) {
    const RecordingRecord* record = live.recording(self->index_);
    if (record != nullptr && record->slug.view() == self->identity_.slug) {
      live.remove_recording(self->index_);
    }
  });
  close();
}

void Recording::close() {
  stage_ = Stage::kClosed;
  release(env_.finish, std::move(writer_));
  lock_.reset();
  env_.wakeup.wake_all();  // somebody may be waiting for the lock
}

}  // namespace recording::recorder
