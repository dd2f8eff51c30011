#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recorder/batch.hpp"
#include "recorder/comeback.hpp"
#include "recorder/conclusion.hpp"
#include "recorder/environment.hpp"
#include "recorder/recording_writer.hpp"
#include "runtime/stream_lock.hpp"

namespace recording::recorder {

// One recording while this worker holds it: queues batches, has at most one job under way, ends by
// finishing the file or by letting go of it (interrupted). Holds the recording's lock all the time,
// or waits for it with what it was given; a recording without a holder is come back to by whoever
// takes that lock. Does nothing to the disk as long as it is tentative. Event loop only; keeps
// itself alive while a job runs.
class Recording : public std::enable_shared_from_this<Recording> {
 public:
  // Takes the lock {runtime}/r.{slug}.lock. kConflict: somebody holds the recording.
  static Result<std::shared_ptr<Recording>> take(Environment& environment, std::int32_t index,
                                                 const runtime::RecordingRecord& record,
                                                 mp4::Identity identity);

  // The same, for a session that the live state has as the recording's last one already: comes back
  // to it once its lock can be had. What it is given meanwhile is safe in the journal; when
  // somebody else has added it from there, it closes.
  static std::shared_ptr<Recording> join(Environment& environment, std::int32_t index,
                                         const runtime::RecordingRecord& record,
                                         mp4::Identity identity, std::uint64_t session);

  // Comes back to what is on disk and in the journal before anything else is done.
  void come_back();

  void add(std::unique_ptr<Batch> batch);
  // Nothing more comes. Writes what is queued, finishes the file, tells the catalogue.
  void finish();
  // It was withdrawn: what it was given, for another one.
  std::deque<std::unique_ptr<Batch>> take_back();
  // Nothing more comes for now. Writes what is queued and lets go.
  void let_go();

  void tick();

  [[nodiscard]] std::int32_t index() const { return index_; }
  [[nodiscard]] const mp4::Identity& identity() const { return identity_; }
  [[nodiscard]] bool closed() const { return stage_ == Stage::kClosed; }
  // It waits for something that may take long: nobody should wait for it.
  [[nodiscard]] bool waiting() const { return retry_ms_ != 0 || !begun_ || !lock_; }

 private:
  enum class Stage { kOpen, kFinishing, kLettingGo, kSettling, kClosed };
  struct Progress;  // what a writing job has done
  class Writing;

  Recording(Environment& environment, std::int32_t index, const runtime::RecordingRecord& record,
            mp4::Identity identity, std::optional<runtime::OwnerLock> lock);
  void pump();
  bool may_begin();
  void announce(std::int64_t stream_id, std::int64_t video_id);
  bool take_over();
  bool find_shared_sessions(std::vector<std::uint64_t>& sessions);
  void post_comeback();
  void post_write();
  void post_conclusion();
  void written(Progress progress);
  void concluded(Result<Outcome> outcome);
  void settle(Outcome outcome);
  void tell_outcome();
  void put_row();
  void forget();
  void failed(const Error& error, const char* doing);
  void count_bytes(std::uint64_t length);
  void note_waiting();
  [[nodiscard]] bool is_suspect() const;
  void give_up(const Error& error);
  void close();

  Environment& env_;
  const std::int32_t index_;
  const mp4::Identity identity_;
  const runtime::RecordingRules rules_;
  const std::shared_ptr<storage::FileSystem> files_;  // by rules_.sync; jobs hold it
  ComebackRequest comeback_;
  std::uint64_t joining_ = 0;  // the session that waits for the lock
  const std::string
      settled_error_;  // of a recording whose outcome was known before its holder died
  std::optional<runtime::OwnerLock> lock_;

  Stage stage_ = Stage::kOpen;
  bool busy_ = false;  // a job is under way
  bool needs_comeback_ = false;
  bool begun_ = false;         // it is not, or no longer, tentative
  bool discarded_ = false;     // it was withdrawn
  bool discontinued_ = false;  // the file could not be read: nothing more is written
  std::shared_ptr<RecordingWriter> writer_;
  std::deque<std::unique_ptr<Batch>> queue_;
  bool rewind_ = false;            // a sync failed: the file goes back to the last good one
  std::optional<Seam> owed_seam_;  // of a batch that no file can hold: goes to the next one
  std::int64_t retry_ms_ = 0;      // monotonic: not before this after a failure; 0: no failure
  std::int64_t retry_step_ms_ = 0;
  std::uint64_t writing_bytes_ = 0;  // of the batches in the job
  std::uint64_t counted_bytes_;      // of the file, in the metrics
  std::optional<Outcome> outcome_;   // that nobody was told of yet
  catalog::VideoRow row_;
};

// Held by whoever has the recording in hand.
std::string recording_lock_path(const std::string& runtime_directory, const std::string& slug);

// What there is to come back to, from what the live state knows.
ComebackRequest comeback_request(const Environment& environment,
                                 const runtime::RecordingRecord& record,
                                 const mp4::Identity& identity);
// Who a recording is, from what the live state knows.
mp4::Identity identity_of(const runtime::RecordingRecord& record,
                          const runtime::StreamRecord& stream);
// Whether it is known to be a part of a divided recording, and not the last one.
bool has_later_part(const runtime::LiveState::Transaction& live,
                    const runtime::RecordingRecord& record);
// The row of a recording in progress.
catalog::VideoRow row_of(const mp4::Identity& identity);

}  // namespace recording::recorder
