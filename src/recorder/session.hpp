#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recorder/environment.hpp"
#include "recorder/event_row.hpp"
#include "recorder/gatherer.hpp"
#include "recorder/recording.hpp"
#include "recorder/track_intake.hpp"
#include "runtime/stream_lock.hpp"

namespace recording::recorder {

// What a publisher is known by when it is accepted.
struct Publisher {
  std::string app, name;  // raw bytes
  runtime::RecordingRules rules;
  void* connection = nullptr;        // the caller's, for Session::publisher()
  std::function<void()> disconnect;  // ends the connection, soon, by way of Recorder::end()
};

// One stream of messages to be recorded: a publish, or what one run of its transcoder makes.
struct Run {
  Run(SegmentPool& segments, const runtime::RecordingRules& rules);
  [[nodiscard]] bool is_described() const {
    return tracks[0].config() != nullptr || tracks[1].config() != nullptr;
  }

  const std::uint64_t id;  // of its samples, in the journal and in the marks of files
  media::SessionClock clock;
  PerKind<TrackIntake> tracks;
  Gatherer gatherer;
};

enum class SessionEnd { kInterrupted, kGoodbye };

// One accepted publish of this worker: takes its messages, holds what a recording may still want of
// them, and does what the live state asks. Event loop only. Never blocks, never fails its caller.
class Session : public std::enable_shared_from_this<Session> {
 public:
  // One publisher of a name on this machine: `lock` is the stream's. Without it the session waits
  // for it, holding what comes, while the worker of the publisher that it replaces lets go.
  // `keep` takes a recording that is to be finished or let go of, until that is done.
  Session(Environment& environment, Publisher publisher, std::optional<runtime::OwnerLock> lock,
          std::function<void(std::shared_ptr<Recording>)> keep);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Makes itself known in the live state, when it has the lock. An error: the zone is full; nothing
  // can be recorded.
  Status open();
  // Has sent nothing for that long, ms.
  [[nodiscard]] std::int64_t silent_ms() const;
  // Another publisher takes its name over: end() follows.
  void replace() { leaves_because_ = "replaced"; }
  // nginx drains this worker since `since_ms` (monotonic).
  void drain(std::int64_t since_ms);

  // Frames a second of onMetaData; it usually comes before the first sequence header.
  void declare_frame_rate(double frames_per_second);
  void on_message(media::TrackKind kind, std::uint32_t timestamp_ms, media::Pieces message);
  // The connection is gone. Nothing else of the publisher may be called any more.
  void end(SessionEnd how);

  // Which of both is recorded: decided once, when the settings are known.
  [[nodiscard]] runtime::Recorded recorded() const { return recorded_; }
  // The messages of the best rendition, as a transcoder makes them; they are taken where it is
  // recorded. What comes behind interrupt_rendition() is another program's, and begins anew.
  // end_rendition(): nothing more comes; `why`: to a person.
  void declare_rendition_rate(double frames_per_second);
  void on_rendition(media::TrackKind kind, std::uint32_t timestamp_ms, media::Pieces message);
  void interrupt_rendition();
  void end_rendition(std::string why);
  // end() was called, and the transcoder still makes what belongs to the recording.
  [[nodiscard]] bool has_tail() const { return left_ && recording_ != nullptr; }

  // The live state was changed by somebody, or a second has passed: look, and do what it says.
  void look();
  void tick();

  [[nodiscard]] std::int32_t stream_index() const { return stream_; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const Publisher& publisher() const { return publisher_; }
  // A recording of this session that is being finished or let go of; it keeps itself alive.
  [[nodiscard]] bool holds(std::int32_t recording_index) const {
    return recording_ != nullptr && recording_->index() == recording_index;
  }

 private:
  enum class Mode {
    kUndecided,  // it is not known yet whether to record: everything is held
    kIdle,       // not recorded; the preroll is held
    kRecording
  };

  [[nodiscard]] EventStream event_stream() const {
    return {publisher_.app, publisher_.name, stream_id_};
  }
  void take(Run& run, media::TrackKind kind, std::uint32_t timestamp_ms, std::int64_t now_ms,
            media::Pieces message);
  void choose_recorded(runtime::LiveState::Transaction& live);
  void take_rendition();
  void begin_run();
  void leave_recording(bool for_good);
  void tell_interrupted();
  [[nodiscard]] bool takes_rendition() const { return source_ != nullptr; }
  [[nodiscard]] Run& source() { return source_ != nullptr ? *source_ : *run_; }
  void note_no_rendition(const std::string& why);
  bool try_lock();
  void end_silent();
  void begin_again();
  void write_gauges();
  void keep_begun();
  void keep_ended(catalog::SessionRow row, const char* reason, std::int64_t ended_at);
  void ask_settings();
  void settings_failed();
  void take_back();
  void decide(bool leaving = false);
  void record_new(std::int32_t index);
  bool go_on(std::int32_t index, const runtime::RecordingRecord& record);
  void attach(std::int32_t index, const runtime::RecordingRecord& record,
              std::shared_ptr<Recording> recording, Seam seam);
  void feed_held();
  void stop_recording(const PerKind<std::uint64_t>& end);
  void divide(std::int64_t at_ms, const char* reason, const PerKind<std::uint64_t>& end);
  [[nodiscard]] PerKind<std::uint64_t> next_ordinals() const {
    return {run_->tracks[0].next_ordinal(), run_->tracks[1].next_ordinal()};
  }
  [[nodiscard]] bool has_other_codec(const Batch& batch) const;
  void note_codec(media::TrackKind kind, media::Codec codec);

  void take_sample(media::TrackKind kind, const Intake& sample, std::int64_t now_ms);
  void place_sample(media::TrackKind kind, const Intake& sample, std::int64_t now_ms);
  void batch_ready(std::unique_ptr<Batch> batch);
  bool wanted_at_all() const;
  void forget_held();
  bool begin_with_key();
  void keep_last_group();
  [[nodiscard]] std::int64_t back_ms() const;
  void remember(const Batch& batch);
  void overloaded(const Intake& sample);
  void publish_facts();
  void note_unrecordable();
  void note_passed_over();

  Environment& env_;
  Publisher publisher_;
  std::optional<runtime::OwnerLock> lock_;
  std::function<void(std::shared_ptr<Recording>)> keep_;
  std::int32_t stream_ = runtime::kNone;
  std::int64_t stream_id_ = 0;
  catalog::SessionStart begun_;                // what is now in the stream's history
  std::int64_t bytes_before_ = 0;              // of this connection, before it began
  const char* leaves_because_ = "connection";  // a word of the history
  std::uint64_t fence_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers that come later

  std::unique_ptr<Run> run_;     // what is recorded
  const std::uint64_t id_;       // of the first one, and of the session
  std::unique_ptr<Run> source_;  // what the publisher sends, where that is something else
  runtime::Recorded recorded_ = runtime::Recorded::kNotKnown;
  bool rendition_over_ = false;  // nothing more of it comes, because …
  std::string rendition_error_;
  bool wanted_ = false;  // there was to be a recording when that was looked at last
  bool no_rendition_noted_ = false;
  bool left_ = false, left_for_good_ = false;  // end() was called
  std::int64_t last_ms_ = 0;  // of the run: time of the last sample, of either track
  bool facts_changed_ = false;
  std::uint32_t declared_rate_milli_ = 0;
  std::int64_t first_message_ms_ = 0, last_message_ms_ = 0;  // monotonic, of the publisher
  std::int64_t last_media_ms_ = 0;                           // and of the run
  std::int64_t gauges_ms_ = 0, messages_in_ = 0, bytes_in_ = 0, timestamp_repairs_ = 0;
  bool fell_silent_ = false;  // for longer than the window: what comes next is a new session
  bool unrecordable_noted_ = false;

  Mode mode_ = Mode::kUndecided;
  bool asking_ = false;
  std::int64_t asked_ms_ = 0;      // monotonic
  std::int64_t ask_again_ms_ = 0;  // monotonic; 0: asking did not fail
  bool no_space_noted_ = false;
  // What nobody has been given yet. Where nothing is recorded, the preroll: it begins with the last
  // key frame, or is empty.
  std::deque<std::unique_ptr<Batch>> held_;
  // Of a recording begun by hand, once more what it was given since the last key frame: should it
  // be stopped and another one started, that reaches back to there. The first to make room.
  std::deque<std::unique_ptr<Batch>> group_;
  std::shared_ptr<Recording> recording_;
  PerKind<media::Codec> recorded_codec_{};  // of the recording's tracks; see RecordingRecord::codec
  std::optional<Seam> seam_;                // goes in front of the next batch
  bool waiting_for_key_ = false;            // the recording begins at the next key frame
  bool group_cut_ = false;                  // the last key frame is not held
  std::int64_t recording_base_ms_ = 0;  // duration the recording had when this session joined it
  std::int64_t recording_from_ms_ = 0;  // session time at which this session joined it
  bool recording_from_known_ = false;
  bool dropping_ = false;  // overloaded: nothing is kept until a key frame finds room
  std::int64_t dropped_from_ms_ = 0, dropped_wall_ms_ = 0;
};

}  // namespace recording::recorder
