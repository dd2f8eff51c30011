#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/api.hpp"
#include "config/config.hpp"
#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "catalog/catalog_service.hpp"
#include "recorder/recorder.hpp"
#include "runtime/journal.hpp"
#include "runtime/live_state.hpp"
#include "runtime/wakeup.hpp"
#include "storage/file.hpp"
#include "transcode/live_sessions.hpp"

namespace recording::app {

// Everything one worker process has; made before its event loop runs, destroyed when it exits.
// The only place that picks adapters. Event loop only.
class Application final : public api::Backend {
 public:
  struct Ports {
    Executor* io;       // writing what is recorded: one job per recording at a time
    Executor* finish;   // what may take long, and must hold up no recording: copies, removals
    Executor* read;     // what downloads, timelines and playlists read
    Executor* catalog;  // catalogue work
    Executor* live;     // file work of live playback, whose disk may hang for itself
    EventLoop* events;
    Log* log;
    bool first = false;  // the first of its generation: recording-worker is its care
  };
  static Result<std::unique_ptr<Application>> create(const config::Config& config, Ports ports);
  ~Application() override;

  [[nodiscard]] const config::Config& config() const;
  [[nodiscard]] storage::FileSystem& files();
  // For reading what downloads need: not a pool in which writes, or the catalogue, wait for a slow
  // disk.
  [[nodiscard]] Executor& reads();
  [[nodiscard]] recorder::Recorder& recorder();
  [[nodiscard]] transcode::LiveSessions& live();
  // For reading what live playback has written.
  [[nodiscard]] Executor& live_reads();
  [[nodiscard]] api::Api& api();

  // api::Backend
  runtime::LiveState& state() override;
  catalog::CatalogService& catalog() override;
  const Clock& clock() override;
  [[nodiscard]] std::int64_t min_free_bytes() const override;
  [[nodiscard]] std::optional<bool> application_auto_record(const std::string& app) const override;
  void wake(std::int32_t pid) override;
  [[nodiscard]] std::vector<transcode::RenditionSetting> renditions() const override;
  [[nodiscard]] recorder::Deletion deletion() const override;
  void remove_files(const recorder::Deletion& deletion, const catalog::VideoRow& row,
                    std::function<void(Status)> then) override;
  void read_timeline(const catalog::VideoRow& row, const api::LiveVideo* live,
                     std::function<void(Result<recorder::Timeline>)> then) override;

  // The wake-up socket: when it is readable, call woken(). tick(): once a second.
  [[nodiscard]] int wakeup_fd() const;
  void woken();
  void tick();
  // nginx drains this worker: others go on with what is not bound to its publishers.
  void drain();
  // A draining worker waits for something.
  [[nodiscard]] bool busy() const;
  // The process exits: nothing is posted and nothing waited for (recorder::Recorder::leave).
  void leave();

 private:
  struct Impl;
  explicit Application(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace recording::app
