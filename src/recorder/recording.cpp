#include "recorder/recording.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "runtime/journal.hpp"

namespace recording::recorder {
namespace {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;

constexpr std::int64_t kFirstRetryMs = 500;
constexpr std::int64_t kLongestRetryMs = 15000;

SessionSamples view_of(const Batch& batch) {
  SessionSamples view;
  for (std::size_t i = 0; i < media::kTrackKinds; ++i) {
    view.samples[i] = batch.samples[i];
    view.pieces[i] = batch.pieces[i];
    view.config[i] = batch.config[i].get();
  }
  view.last_duration = batch.last_duration;
  view.first_ordinal = batch.first_ordinal;
  return view;
}

}  // namespace

std::string recording_lock_path(const std::string& runtime_directory, const std::string& slug) {
  return runtime_directory + "/r." + slug + ".lock";
}

mp4::Identity identity_of(const RecordingRecord& record, const runtime::StreamRecord& stream) {
  mp4::Identity identity;
  identity.slug = record.slug.view();
  identity.app = stream.app.view();
  identity.stream = stream.name.view();
  identity.video_id = record.video_id;
  identity.stream_id = record.stream_id;
  identity.started_wall_ms = record.started_wall_ms;
  identity.transaction_id = record.transaction_id.view();
  identity.sequence = record.sequence;
  identity.record_type = "origin";
  identity.automatic = record.automatic != 0;
  identity.reconnect_window_ms = record.rules.reconnect_window_ms;
  identity.min_duration_ms = record.rules.min_duration_ms;
  identity.max_duration_ms = record.rules.max_duration_ms;
  return identity;
}

catalog::VideoRow row_of(const mp4::Identity& identity) {
  catalog::VideoRow row;
  row.id = identity.video_id;
  row.stream_id = identity.stream_id;
  row.slug = identity.slug;
  row.record_type = identity.record_type;
  row.recording_started_at = identity.started_wall_ms;
  row.transaction_id = identity.transaction_id;
  row.sequence = identity.sequence;
  row.status = "pending";
  return row;
}

// Batches stay in the job while it runs, so that what they hold in the journal stays too.
struct Recording::Progress {
  std::deque<std::unique_ptr<Batch>> batches;
  std::shared_ptr<RecordingWriter> writer;
  std::size_t appended = 0;
  Status status = ok();
  std::optional<Error> dropped;
  std::uint64_t length = 0;
};

Result<std::shared_ptr<Recording>> Recording::take(Environment& environment, std::int32_t index,
                                                   const RecordingRecord& record,
                                                   mp4::Identity identity) {
  auto lock = runtime::OwnerLock::try_acquire(
      recording_lock_path(environment.runtime_directory, identity.slug));
  if (!lock) {
    return std::move(lock).error();
  }
  return std::shared_ptr<Recording>(new Recording(environment, index, record, std::move(identity),
                                                  std::move(lock).value()));
}

Recording::Recording(Environment& environment, std::int32_t index, const RecordingRecord& record,
                     mp4::Identity identity, runtime::OwnerLock lock)
    : env_(environment),
      index_(index),
      identity_(std::move(identity)),
      rules_(record.rules),
      comeback_{environment.spool, environment.runtime_directory, identity_, record.session,
                /*fence=*/0, record.first_ordinal},
      settled_error_(record.state == RecordingState::kSettled ? record.error.view() : ""),
      lock_(std::move(lock)),
      row_(row_of(identity_)) {}

void Recording::come_back() {
  needs_comeback_ = true;
  pump();
}

void Recording::add(std::unique_ptr<Batch> batch) {
  if (batch == nullptr || discontinued_) {
    return;
  }
  queue_.push_back(std::move(batch));
  pump();
}

void Recording::finish() {
  stage_ = Stage::kFinishing;
  pump();
}

void Recording::let_go() {
  if (stage_ == Stage::kOpen) {
    stage_ = Stage::kLettingGo;
  }
  pump();
}

void Recording::tick() {
  if (retry_ms_ != 0 && env_.clock.monotonic_ms() >= retry_ms_) {
    retry_ms_ = 0;
  }
  pump();
}

void Recording::pump() {
  if (busy_ || retry_ms_ != 0 || stage_ == Stage::kClosed) {
    return;
  }
  if (needs_comeback_) {
    post_comeback();
  } else if (!queue_.empty() || !unsynced_.empty()) {
    post_write();
  } else if (stage_ == Stage::kFinishing) {
    post_conclusion();
  } else if (stage_ == Stage::kSettling) {
    put_row();
  } else if (stage_ == Stage::kLettingGo) {
    close();
  }
}

void Recording::failed(const Error& error, const char* doing) {
  if (retry_step_ms_ == 0) {
    env_.log.write(LogLevel::kError, "recording " + identity_.slug + " of " +
                                         to_valid_utf8(identity_.app) + "/" +
                                         to_valid_utf8(identity_.stream) + ": " + doing + ": " +
                                         error.message + "; trying again");
    env_.events.emit("recording.failed", {{"recording_id", identity_.slug},
                                          {"video_id", identity_.video_id},
                                          {"stream_id", identity_.stream_id},
                                          {"doing", std::string(doing)},
                                          {"error", error.message},
                                          {"retrying", true}});
  }
  retry_step_ms_ = std::clamp(retry_step_ms_ * 2, kFirstRetryMs, kLongestRetryMs);
  retry_ms_ = env_.clock.monotonic_ms() + retry_step_ms_;
}

void Recording::post_comeback() {
  busy_ = post(
      env_.io,
      [&files = env_.files, request = comeback_]() {
        return recorder::come_back(files, request);
      },
      [self = shared_from_this()](Result<Comeback> result) {
        self->busy_ = false;
        if (!result) {
          if (result.error().code == Errc::kCorrupt) {
            // Nothing of it can be read by us; it stays in the spool for a person to look at.
            self->env_.log.write(LogLevel::kCrit, "recording " + self->identity_.slug +
                                                      " is left as it is in the spool: " +
                                                      result.error().message);
            self->needs_comeback_ = false;
            self->discontinued_ = true;
            self->queue_.clear();
            Outcome outcome;
            outcome.identity = self->identity_;
            outcome.error = "unreadable";
            self->settle(outcome);
            return;
          }
          self->failed(result.error(), "come back");
          return;
        }
        self->retry_step_ms_ = 0;
        self->needs_comeback_ = false;
        self->writer_ = std::move(result.value().writer);
        if (self->writer_ != nullptr) {
          RecordingRecord* gauges = self->env_.state.recording_gauges(self->index_);
          gauges->committed_bytes.set(
              static_cast<std::int64_t>(self->writer_->file().length()));
          gauges->duration_ms.set(self->writer_->file().duration_ms());
        }
        if (result.value().recovered_samples != 0) {
          self->env_.log.write(LogLevel::kNotice,
                               "recording " + self->identity_.slug + ": " +
                                   std::to_string(result.value().recovered_samples) +
                                   " samples recovered from the journal");
        }
        self->pump();
      });
}

void Recording::post_write() {
  Progress progress;
  progress.batches.swap(queue_);
  progress.writer = writer_;
  busy_ = true;
  // The batches wait in a shared place: a job that cannot be posted must not lose them.
  auto work = std::make_shared<Progress>(std::move(progress));
  const bool posted = post(
      env_.io,
      [work, &files = env_.files, spool = env_.spool, identity = identity_,
       sync = rules_.sync == 1]() {
        if (work->writer == nullptr) {
          auto made = RecordingWriter::create(files, spool, identity);
          if (!made) {
            work->status = std::move(made).error().wrap("create");
            return true;
          }
          work->writer = std::move(made).value();
        }
        for (const auto& batch : work->batches) {
          Status status = work->writer->append(view_of(*batch),
                                               batch->seam ? &*batch->seam : nullptr);
          if (!status && status.error().code == Errc::kInvalidArgument) {
            // No file can hold it, now or later: trying again would only hold up what follows.
            work->dropped = std::move(status).error();
          } else if (!status) {
            work->status = std::move(status);
            break;
          }
          ++work->appended;
        }
        if (work->status && sync) {
          work->status = work->writer->sync();
        }
        work->length = work->writer->file().length();
        return true;
      },
      [self = shared_from_this(), work](bool) { self->written(std::move(*work)); });
  if (!posted) {
    busy_ = false;
    queue_.swap(work->batches);
    failed(Error{Errc::kUnavailable, "the thread pool's queue is full"}, "write");
  }
}

void Recording::written(Progress progress) {
  busy_ = false;
  writer_ = std::move(progress.writer);
  if (writer_ != nullptr && progress.appended > 0) {
    env_.state.recording_gauges(index_)->committed_bytes.set(
        static_cast<std::int64_t>(progress.length));
  }
  if (progress.dropped) {
    env_.log.write(LogLevel::kError, "recording " + identity_.slug + ": samples were dropped: " +
                                         progress.dropped->message);
  }
  if (!progress.status) {
    for (std::size_t i = progress.batches.size(); i > progress.appended; --i) {
      queue_.push_front(std::move(progress.batches[i - 1]));
    }
    // What is written but not synced keeps its place in the journal until a sync succeeds.
    for (std::size_t i = 0; i < progress.appended; ++i) {
      unsynced_.push_back(std::move(progress.batches[i]));
    }
    failed(progress.status.error(), "write");
    return;
  }
  unsynced_.clear();
  retry_step_ms_ = 0;
  pump();
}

void Recording::post_conclusion() {
  busy_ = post(
      env_.io,
      [writer = writer_, &files = env_.files, spool = env_.spool, storage = env_.storage,
       identity = identity_]() {
        if (writer == nullptr) {
          auto before = concluded_before(files, storage, identity);
          if (before) {
            return before;
          }
        }
        return conclude(files, spool, storage, identity, writer.get());
      },
      [self = shared_from_this()](Result<Outcome> outcome) {
        self->busy_ = false;
        self->concluded(std::move(outcome));
      });
}

void Recording::concluded(Result<Outcome> outcome) {
  if (!outcome) {
    failed(outcome.error(), "finish");
    return;
  }
  retry_step_ms_ = 0;
  writer_.reset();
  if (!settled_error_.empty() && !outcome.value().error.empty()) {
    outcome.value().error = settled_error_;
  }
  settle(outcome.value());
}

void Recording::settle(const Outcome& outcome) {
  stage_ = Stage::kSettling;
  std::string reason = "ended";
  std::int64_t ended = outcome.ended_wall_ms;
  env_.changes.make([&, index = index_](LiveState::Transaction& live) {
    if (live.recording(index) == nullptr) {
      return;
    }
    RecordingRecord& record = live.edit_recording(index);
    record.state = RecordingState::kSettled;
    record.error.assign(outcome.error);
    if (ended == 0) {
      ended = record.ended_wall_ms;
    }
    if (record.video_id != 0) {
      row_.id = record.video_id;  // it may have been leased after the file was begun
      row_.stream_id = record.stream_id;
    }
    if (record.end_reason.size != 0) {
      reason = record.end_reason.view();
    }
  });
  if (ended == 0) {
    ended = env_.clock.wall_ms();
  }
  row_.status = outcome.error.empty() ? "ready" : "error";
  row_.error = outcome.error;
  row_.path = outcome.path;
  row_.duration_ms = outcome.duration_ms;
  row_.origin_size = static_cast<std::int64_t>(outcome.size);
  row_.width = outcome.width;
  row_.height = outcome.height;
  row_.recording_ended_at = ended;
  row_.recording_times = outcome.times;
  row_.uniform = outcome.uniform;
  row_.last_sequence = reason != "divided" && reason != "codec_changed";

  Events::Facts facts = {{"recording_id", identity_.slug},
                         {"video_id", row_.id},
                         {"stream_id", row_.stream_id},
                         {"app", to_valid_utf8(identity_.app)},
                         {"stream", to_valid_utf8(identity_.stream)},
                         {"duration_ms", outcome.duration_ms},
                         {"size", row_.origin_size},
                         {"reason", reason}};
  if (outcome.error.empty()) {
    env_.events.emit("recording.completed", facts);
    env_.events.emit("video.viewable", {{"recording_id", identity_.slug},
                                        {"video_id", row_.id},
                                        {"stream_id", row_.stream_id}});
  } else {
    facts.back() = {"reason", outcome.error};
    env_.events.emit("recording.discarded", facts);
  }
  pump();
}

void Recording::put_row() {
  busy_ = true;
  env_.catalog.write(
      [row = row_](catalog::Catalog& catalog) -> Status { return catalog.put_video(row); },
      [self = shared_from_this()](Status status) {
        self->busy_ = false;
        if (!status) {
          self->failed(status.error(), "catalogue");
          return;
        }
        self->env_.changes.make([self](LiveState::Transaction& live) {
          const RecordingRecord* record = live.recording(self->index_);
          if (record != nullptr && record->slug.view() == self->identity_.slug) {
            live.remove_recording(self->index_);
          }
        });
        self->close();
      });
}

void Recording::close() {
  stage_ = Stage::kClosed;
  writer_.reset();
  lock_.reset();
  env_.wakeup.wake_all();  // somebody may be waiting for the lock
}

}  // namespace recording::recorder
