#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "media/flv_metadata.hpp"
#include "runtime/stream_lock.hpp"
#include "transcode/drift.hpp"
#include "transcode/feed.hpp"
#include "transcode/flv_tag_reader.hpp"
#include "transcode/live_folder.hpp"
#include "transcode/measurement.hpp"
#include "transcode/playback_record.hpp"
#include "transcode/program.hpp"
#include "transcode/rendition_sink.hpp"
#include "transcode/settings.hpp"
#include "transcode/source_intake.hpp"
#include "transcode/source_probe.hpp"
#include "transcode/supervisor.hpp"

namespace recording::transcode {

class LiveSession;

// What is told to the world of live sessions. Event loop only.
class LiveObserver {
 public:
  virtual ~LiveObserver() = default;
  virtual void started(const LiveSession& session) = 0;  // for the first time, or again
  virtual void failed(const LiveSession& session) = 0;   // refused, or given up
  virtual void drifted(const LiveSession& session, const std::vector<Drift>& drift) = 0;
};

// What live sessions stand on; all of it outlives them. Event loop only, but for `clock`.
struct LiveEnvironment {
  runtime::LiveState& state;
  const Clock& clock;
  Log& log;
  Executor& files;  // what touches transcoder_path, and nothing of a recording
  EventLoop& events;
  LiveObserver& observer;
  std::string launcher;           // path of recording-launcher
  std::string runtime_directory;  // for locks
};

// Held for as long as more may come of a session.
std::string session_lock_path(const std::string& runtime_directory, std::string_view session);

// The live playback of one publish: its messages go to a transcoding program, which is started when
// the source is known, started again when it ends, and finished when the publisher leaves. Event
// loop only. Never blocks, never fails its caller.
class LiveSession {
 public:
  // `session`: its id in the live state; 0: it is not there, and others are told nothing of it.
  // `sink` may be nullptr.
  LiveSession(LiveEnvironment& environment, std::string app, std::string name,
              std::uint64_t session, TranscoderSettings settings,
              std::unique_ptr<RenditionSink> sink);
  ~LiveSession();
  LiveSession(const LiveSession&) = delete;
  LiveSession& operator=(const LiveSession&) = delete;

  void on_metadata(const media::FlvMetadata& metadata) { probe_.take_metadata(metadata); }
  void on_message(media::TrackKind kind, std::uint32_t timestamp_ms, media::Pieces message);
  // The publisher left; what it sent is finished. Nothing but tick() is called any more.
  void end();
  // Once a second.
  void tick();
  // end() was called, and all is finished.
  [[nodiscard]] bool over() const;

  [[nodiscard]] const std::string& app() const { return app_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Supervisor& supervisor() const { return supervisor_; }
  [[nodiscard]] const TranscoderSettings& settings() const { return settings_; }

 private:
  void failed();
  void probe(const SourceMessage& taken, std::int64_t now_ms);
  void look();
  void start();
  void run_folder_made(Status made);
  [[nodiscard]] FlvTracks tracks() const;
  void pump();
  void check_playlists();
  void check_output();
  void end_program(std::string why);
  void take_progress(const ProgramReport& report);
  void take_line(std::string_view line);
  void take_made(ByteView piece);
  void hand_over(const FlvTagReader::Tag& tag);
  void finished();
  void program_ended(const ProgramEnd& end);
  void note_dropped();
  void follow_change(media::TrackKind kind, std::int64_t now_ms);
  [[nodiscard]] bool copies_as_frozen() const;
  void measure();
  void publish_state();
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string program_name() const;
  [[nodiscard]] std::string run_folder() const { return folder_ + "/" + run_.text(); }

  LiveEnvironment& env_;
  const std::string app_, name_;  // raw bytes
  const TranscoderSettings settings_;
  const std::string folder_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers that come later

  SourceIntake intake_;
  SourceProbe probe_;
  Measurement measurement_;
  DriftWatch drift_;
  PlaybackRecord record_;
  Feed feed_;
  Supervisor supervisor_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<RenditionSink> sink_;  // until nothing more comes for it
  FlvTagReader made_;                    // what the program makes for it
  Copying copying_ = Copying::kAllowed;
  std::optional<runtime::OwnerLock> lock_;  // held until nothing more comes
  RunPath run_;                             // the program's folder
  int runs_ = 0;                            // so many were begun
  int playlists_ = 0;                       // media playlists that the program makes
  bool left_ = false;
  bool starting_ = false;  // a folder is being made
  bool blocked_ = false;   // the pipe is full
  bool checking_ = false;  // what the program has written
  bool published_ = false;
  bool shown_ = false;  // players are sent to this session
  std::int64_t checked_ms_ = 0, output_checked_ms_ = 0, measured_ms_ = 0;  // monotonic
  std::string broken_;  // why the program is ended by us; empty: it is not
  // Lines of the program's standard error.
  std::string last_line_;
  std::int64_t lines_since_ms_ = 0;
  int lines_ = 0, lines_left_out_ = 0;
  std::uint64_t noted_groups_ = 0;
};

}  // namespace recording::transcode
