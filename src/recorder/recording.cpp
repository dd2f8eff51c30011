#include "recorder/recording.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "recorder/stream_settings.hpp"
#include "recorder/write_rounds.hpp"
#include "storage/unforced_files.hpp"

namespace recording::recorder {
namespace {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;

constexpr std::int64_t kFirstRetryMs = 500;
constexpr std::int64_t kLongestRetryMs = 15000;

SessionSamples view_of(const Batch& batch, const BatchSamples& read) {
  SessionSamples view;
  for (std::size_t i = 0; i < media::kTrackKinds; ++i) {
    view.samples[i] = read.samples[i];
    view.pieces[i] = read.pieces[i];
    view.config[i] = batch.config[i].get();
  }
  view.last_duration = batch.last_duration;
  view.first_ordinal = batch.first_ordinal;
  view.repairs = batch.repairs;
  return view;
}

std::shared_ptr<storage::FileSystem> files_for(const runtime::RecordingRules& rules,
                                               storage::FileSystem& files) {
  if (rules.sync == 0) {
    return std::make_shared<storage::UnforcedFiles>(files);
  }
  return {std::shared_ptr<void>(), &files};  // not owned
}

// What stands in front of the samples behind a batch that was dropped: their session may not have
// begun in the file yet, and their numbers do not follow those of the ones before it.
Seam seam_behind(const Batch& dropped, const mp4::Mark& last) {
  if (dropped.seam) {
    return *dropped.seam;
  }
  Seam seam;
  seam.kind = mp4::MarkKind::kOverload;
  seam.session = last.session;
  seam.fence = last.fence;
  seam.lost_ms = std::max<std::int64_t>(dropped.last_ms - dropped.first_ms, 0);
  seam.reason = "refused";
  return seam;
}

}  // namespace

// Batches stay in the job while it runs, so that what they hold in the journal stays too.
struct Recording::Progress {
  std::deque<std::unique_ptr<Batch>> batches;
  std::shared_ptr<RecordingWriter> writer;
  bool rewind = false;
  std::size_t appended = 0;
  Status status = ok();
  std::optional<Error> dropped;
  std::optional<Seam> owed;
  std::uint64_t length = 0;
};

class Recording::Writing final : public WriteTask {
 public:
  Writing(std::shared_ptr<Recording> recording, Progress work)
      : recording_(std::move(recording)),
        env_(recording_->env_),
        synced_(recording_->rules_.sync == 1),
        work_(std::move(work)) {}
  void write() noexcept override;
  void append() noexcept;
  void begin_sync() noexcept override;
  void sync() noexcept override;
  void done() override {
    env_.state.metrics().writes.add(took_us_);
    recording_->written(std::move(work_));
  }
  void refused() override;

 private:
  std::shared_ptr<Recording> recording_;  // pool threads: identity_ and files_ only
  Environment& env_;
  bool synced_;
  Progress work_;
  std::uint64_t took_us_ = 0;
};

Result<std::shared_ptr<Recording>> Recording::take(Environment& environment, std::int32_t index,
                                                   const RecordingRecord& record,
                                                   mp4::Identity identity) {
  auto lock = runtime::OwnerLock::try_acquire(
      recording_lock_path(environment.runtime_directory, identity.slug));
  if (!lock) {
    return std::move(lock).error();
  }
  return std::shared_ptr<Recording>(
      new Recording(environment, index, record, std::move(identity), std::move(lock).value()));
}

std::shared_ptr<Recording> Recording::join(Environment& environment, std::int32_t index,
                                           const RecordingRecord& record, mp4::Identity identity,
                                           std::uint64_t session) {
  std::shared_ptr<Recording> joined(
      new Recording(environment, index, record, std::move(identity), std::nullopt));
  joined->joining_ = session;
  joined->needs_comeback_ = true;
  return joined;
}

Recording::Recording(Environment& environment, std::int32_t index, const RecordingRecord& record,
                     mp4::Identity identity, std::optional<runtime::OwnerLock> lock)
    : env_(environment),
      index_(index),
      identity_(std::move(identity)),
      rules_(record.rules),
      files_(files_for(rules_, env_.files)),
      comeback_(comeback_request(environment, record, identity_)),
      settled_error_(record.state == RecordingState::kSettled ? record.error.view() : ""),
      lock_(std::move(lock)),
      counted_bytes_(static_cast<std::uint64_t>(record.committed_bytes.get())),
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
  if (queue_.size() == 1) {
    env_.rounds.hurry();  // the one before may be waiting; media that come faster must not pile up
  }
}

void Recording::finish() {
  if (stage_ == Stage::kOpen || stage_ == Stage::kLettingGo) {
    stage_ = Stage::kFinishing;
  }
  pump();
  env_.rounds.hurry();
}

void Recording::let_go() {
  if (stage_ == Stage::kOpen) {
    stage_ = Stage::kLettingGo;
  }
  pump();
  env_.rounds.hurry();
}

void Recording::tick() {
  if (retry_ms_ != 0 && env_.clock.monotonic_ms() >= retry_ms_) {
    retry_ms_ = 0;
  }
  pump();
}

void Recording::pump() {
  note_waiting();
  if (busy_ || retry_ms_ != 0 || stage_ == Stage::kClosed || !may_begin()) {
    return;
  }
  if (discarded_) {
    if (stage_ != Stage::kOpen) {  // else what it was given is asked back for
      queue_.clear();
      forget();
    }
  } else if (!lock_ && !take_over()) {
    return;
  } else if (needs_comeback_) {
    post_comeback();
  } else if (!queue_.empty()) {
    post_write();
  } else if (stage_ == Stage::kFinishing) {
    post_conclusion();
  } else if (stage_ == Stage::kSettling && outcome_) {
    tell_outcome();
  } else if (stage_ == Stage::kSettling) {
    put_row();
  } else if (stage_ == Stage::kLettingGo) {
    close();
  }
}

// False: it is tentative still. Tells of it when nobody has done so.
bool Recording::may_begin() {
  if (begun_) {
    return true;
  }
  bool tell = false;
  std::int64_t stream_id = 0, video_id = 0;
  const bool looked = env_.changes.make_now([&](LiveState::Transaction& live) {
    const RecordingRecord* record = live.recording(index_);
    if (record == nullptr || record->slug.view() != identity_.slug || is_withdrawn(*record)) {
      begun_ = discarded_ = true;
    } else if (record->tentative == 0) {
      begun_ = true;
      tell = record->announced == 0;
      stream_id = record->stream_id;
      video_id = record->video_id;
      if (tell) {
        live.edit_recording(index_).announced = 1;
      }
    }
  });
  if (looked && tell) {
    announce(stream_id, video_id);
  }
  return looked && begun_;
}

std::deque<std::unique_ptr<Batch>> Recording::take_back() {
  std::deque<std::unique_ptr<Batch>> batches;
  batches.swap(queue_);
  for (const auto& batch : batches) {
    if (batch->seam && batch->seam->kind == mp4::MarkKind::kBegin) {
      batch->seam.reset();
    }
  }
  return batches;
}

// A file that goes back and is written again counts once.
void Recording::count_bytes(std::uint64_t length) {
  if (length > counted_bytes_) {
    env_.state.metrics().bytes.add(length - counted_bytes_);
    counted_bytes_ = length;
  }
}

// Whether a sync failed that is not made good yet, and the journal cannot help.
bool Recording::is_suspect() const { return writer_ != nullptr && writer_->file().suspect(); }

void Recording::note_waiting() {
  if (!lock_ || discarded_ || stage_ == Stage::kClosed) {
    return;  // the record is not, or no longer, ours
  }
  std::uint64_t bytes = writing_bytes_;
  for (const auto& batch : queue_) {
    bytes += batch->bytes;
  }
  env_.state.recording_gauges(index_)->waiting_bytes.set(static_cast<std::int64_t>(bytes));
}

void Recording::failed(const Error& error, const char* doing) {
  if (error.code == Errc::kIo || error.code == Errc::kNoSpace) {
    env_.state.metrics().write_errors.add();
  }
  if (retry_step_ms_ == 0) {
    env_.log.write(LogLevel::kError, "recording " + identity_.slug + " of " +
                                         to_valid_utf8(identity_.app) + "/" +
                                         to_valid_utf8(identity_.stream) + ": " + doing + ": " +
                                         error.message + "; trying again");
    env_.events.emit("recording.failed", stream_of(identity_),
                     {{"recording_id", identity_.slug},
                      {"video_id", identity_.video_id},
                      {"doing", std::string(doing)},
                      {"error", error.message},
                      {"retrying", true}});
  }
  retry_step_ms_ = std::clamp(retry_step_ms_ * 2, kFirstRetryMs, kLongestRetryMs);
  retry_ms_ = env_.clock.monotonic_ms() + retry_step_ms_;
}

void Recording::Writing::write() noexcept {
  const runtime::Stopwatch watch;
  append();
  took_us_ = watch.us();
}

void Recording::Writing::append() noexcept {
  if (work_.writer == nullptr) {
    auto made = RecordingWriter::create(*recording_->files_, env_.spool, recording_->identity_);
    if (!made) {
      work_.status = std::move(made).error().wrap("create");
      return;
    }
    work_.writer = std::move(made).value();
  }
  if (work_.rewind) {
    work_.status = work_.writer->rewind();
    if (!work_.status) {
      return;
    }
    work_.rewind = false;
  }
  for (const auto& batch : work_.batches) {
    if (work_.owed && (!batch->seam || batch->seam->kind != mp4::MarkKind::kBegin)) {
      batch->seam = std::move(work_.owed);
    }
    work_.owed.reset();
    const BatchSamples samples(*batch);
    Status status =
        work_.writer->append(view_of(*batch, samples), batch->seam ? &*batch->seam : nullptr);
    if (!status && status.error().code == Errc::kInvalidArgument) {
      // No file can hold it, now or later: trying again would only hold up what follows.
      work_.dropped = std::move(status).error();
      work_.owed = seam_behind(*batch, work_.writer->file().last_mark());
    } else if (!status) {
      work_.status = std::move(status);
      break;
    }
    ++work_.appended;
  }
  work_.length = work_.writer->file().length();
}

void Recording::Writing::begin_sync() noexcept {
  if (work_.status && synced_) {
    work_.writer->begin_sync();
  }
}

void Recording::Writing::sync() noexcept {
  if (work_.status && synced_) {
    const runtime::Stopwatch watch;
    work_.status = work_.writer->sync();
    took_us_ += watch.us();
  }
}

void Recording::Writing::refused() {
  recording_->busy_ = false;
  recording_->writing_bytes_ = 0;
  for (std::size_t i = work_.batches.size(); i > 0; --i) {  // others may have come meanwhile
    recording_->queue_.push_front(std::move(work_.batches[i - 1]));
  }
  recording_->owed_seam_.swap(work_.owed);
  recording_->failed(Error{Errc::kUnavailable, "the thread pool's queue is full"}, "write");
}

void Recording::post_write() {
  Progress progress;
  progress.batches.swap(queue_);
  progress.writer = writer_;
  progress.rewind = rewind_;
  progress.owed.swap(owed_seam_);
  for (const auto& batch : progress.batches) {
    writing_bytes_ += batch->bytes;
  }
  busy_ = true;
  // A power cut may cost a quarter of a fragment more for it.
  env_.rounds.add(std::make_unique<Writing>(shared_from_this(), std::move(progress)),
                  rules_.fragment_ms / 4);
}

void Recording::written(Progress progress) {
  busy_ = false;
  writing_bytes_ = 0;
  writer_ = std::move(progress.writer);
  owed_seam_ = std::move(progress.owed);
  rewind_ = progress.rewind;
  if (progress.dropped) {
    env_.log.write(LogLevel::kError, "recording " + identity_.slug +
                                         ": samples were dropped: " + progress.dropped->message);
  }
  std::uint64_t length = progress.length;
  if (!progress.status) {
    std::size_t done = progress.appended;
    if (rules_.sync == 1 && writer_ != nullptr && !rewind_) {
      // Nothing is safe that is not synced: all of it is written again, from the journal.
      rewind_ = true;
      done = 0;
      owed_seam_.reset();  // it is with the batch that it was in front of
      length = writer_->file().synced_length();
      (void)writer_->take_changes();  // told of when they are written again
    }
    for (std::size_t i = progress.batches.size(); i > done; --i) {
      queue_.push_front(std::move(progress.batches[i - 1]));
    }
  }
  RecordingRecord* gauges = env_.state.recording_gauges(index_);
  if (writer_ != nullptr && progress.appended > 0) {
    gauges->committed_bytes.set(static_cast<std::int64_t>(length));
    count_bytes(length);
    gauges->last_index.set(static_cast<std::int64_t>(writer_->file().last_index()));
  }
  // Before anything that the journal holds is given back.
  gauges->suspect_from.set(rewind_ ? static_cast<std::int64_t>(writer_->file().synced_length()) + 1
                           : is_suspect() ? -1
                                          : 0);
  if (!progress.status) {
    note_waiting();
    if (is_suspect() && !rewind_ && progress.status.error().code == Errc::kCorrupt) {
      give_up(progress.status.error());
    } else {
      failed(progress.status.error(), "write");
    }
    return;
  }
  retry_step_ms_ = 0;
  tell_changes(env_.events, env_.state.metrics(), identity_, writer_->take_changes());
  pump();
}

}  // namespace recording::recorder
