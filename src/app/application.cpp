#include "app/application.hpp"

#include <optional>
#include <set>

#include "api/live_view.hpp"
#include "app/live_events.hpp"
#include "app/worker_program.hpp"
#include "base/system_clock.hpp"
#include "catalog/sqlite_catalog.hpp"
#include "config/offered_renditions.hpp"
#include "exporter/video_location.hpp"
#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "recorder/removal.hpp"
#include "recorder/write_rounds.hpp"
#include "storage/posix_file.hpp"

namespace recording::app {
namespace {

constexpr unsigned kCatalogReaders = 2;

Result<recorder::Timeline> read_first(storage::FileSystem& files,
                                      const exporter::VideoLocation& location) {
  for (const std::string& folder : location.folders) {
    auto file = files.open_for_read(folder + "/source.mp4");
    if (file) {
      return recorder::read_timeline(*file.value(), location.committed);
    }
    if (file.error().code != Errc::kNotFound) {
      return std::move(file).error();
    }
  }
  return Error{Errc::kNotFound, "the file is not there"};
}

std::vector<std::string> live_paths(const config::Config& config) {
  std::set<std::string> paths;
  for (const auto& [application, path] : config.transcoders) {
    paths.insert(path);
  }
  return {paths.begin(), paths.end()};
}

}  // namespace

struct Application::Impl {
  Impl(const config::Config& configuration, Ports given,
       std::unique_ptr<runtime::LiveState> opened_state,
       std::unique_ptr<runtime::Journal> opened_journal, runtime::WakeupSocket socket)
      : config(configuration),
        ports(given),
        state(std::move(opened_state)),
        journal(std::move(opened_journal)),
        wakeup(std::in_place, std::move(socket)),
        catalog(
            *ports.catalog,
            [path = config.catalog_path](bool writer) {
              return catalog::open_sqlite_catalog(path, writer);
            },
            kCatalogReaders),
        segments(journal.get()),
        events(*ports.log, clock, catalog, config::webhook_urls(configuration)),
        changes(*state, *ports.log),
        rounds(*ports.io, clock),
        environment{*state,         clock,        *ports.log,     *ports.io,
                    *ports.finish,  files,        catalog,        segments,
                    *wakeup,        events,       changes,        rounds,
                    config.runtime, config.spool, config.storage, config.min_free_bytes,
                    config.keep_ms},
        recorder(environment),
        live_events(*state, events),
        live({*state, clock, *ports.log, *ports.live, *ports.events, live_events, config.launcher,
              config.runtime},
             live_paths(config)) {
    if (ports.first && config.workers > 0) {
      worker.emplace(*ports.events, clock, *ports.log, config);
    }
  }

  config::Config config;
  Ports ports;
  SystemClock clock;
  storage::PosixFileSystem files;
  std::unique_ptr<runtime::LiveState> state;
  std::unique_ptr<runtime::Journal> journal;
  std::optional<runtime::WakeupSocket> wakeup;
  catalog::CatalogService catalog;
  recorder::SegmentPool segments;
  recorder::Events events;
  recorder::LiveChanges changes;
  recorder::WriteRounds rounds;
  recorder::Environment environment;
  recorder::Recorder recorder;
  LiveEvents live_events;
  transcode::LiveSessions live;
  std::optional<WorkerProgram> worker;
  std::unique_ptr<api::Api> api;
};

Result<std::unique_ptr<Application>> Application::create(const config::Config& config,
                                                         Ports ports) {
  auto state = runtime::LiveState::open(config.runtime, config.zone_bytes);
  if (!state) {
    return std::move(state).error().wrap("live state");
  }
  if (state.value()->zone_bytes() != config.zone_bytes) {
    ports.log->write(LogLevel::kWarn, "zone was changed: the live state in " + config.runtime +
                                          " keeps its size until nginx is stopped and started");
  }
  auto journal = runtime::Journal::open(config.runtime, config.journal_percent, *ports.io);
  if (!journal) {
    // Recording goes on without it, from private memory; the operator is told.
    ports.log->write(LogLevel::kError,
                     "no journal, recordings are not crash-safe: " + journal.error().message);
    journal = std::unique_ptr<runtime::Journal>();
  }
  auto wakeup = runtime::WakeupSocket::open(config.runtime);
  if (!wakeup) {
    return std::move(wakeup).error().wrap("wake-up socket");
  }
  auto impl = std::make_unique<Impl>(config, ports, std::move(state).value(),
                                     std::move(journal).value(), std::move(wakeup).value());
  auto application = std::unique_ptr<Application>(new Application(std::move(impl)));
  application->impl_->api = std::make_unique<api::Api>(*application);
  application->impl_->catalog.open();
  return application;
}

Application::Application(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Application::~Application() = default;

const config::Config& Application::config() const { return impl_->config; }
storage::FileSystem& Application::files() { return impl_->files; }
Executor& Application::reads() { return *impl_->ports.read; }
recorder::Recorder& Application::recorder() { return impl_->recorder; }
transcode::LiveSessions& Application::live() { return impl_->live; }
Executor& Application::live_reads() { return *impl_->ports.live; }
api::Api& Application::api() { return *impl_->api; }
runtime::LiveState& Application::state() { return *impl_->state; }
catalog::CatalogService& Application::catalog() { return impl_->catalog; }
const Clock& Application::clock() { return impl_->clock; }
std::int64_t Application::min_free_bytes() const { return impl_->config.min_free_bytes; }

std::optional<bool> Application::application_auto_record(const std::string& app) const {
  const auto found = impl_->config.applications.find(app);
  return found == impl_->config.applications.end() ? std::nullopt
                                                   : std::optional<bool>(found->second);
}

void Application::wake(std::int32_t pid) {
  if (pid != 0) {
    impl_->wakeup->wake(pid);
  } else {
    impl_->wakeup->wake_all();
  }
}

std::vector<transcode::RenditionSetting> Application::renditions() const {
  return config::offered_renditions(impl_->config);
}

recorder::Deletion Application::deletion() const { return {impl_->environment, "requested"}; }

void Application::remove_files(const recorder::Deletion& deletion, const catalog::VideoRow& row,
                               std::function<void(Status)> then) {
  deletion.write_to(impl_->environment.log, row);
  recorder::remove_files(impl_->environment, row, std::move(then));
}

void Application::read_timeline(const catalog::VideoRow& row, const api::LiveVideo* live,
                                std::function<void(Result<recorder::Timeline>)> then) {
  const exporter::VideoFolders folders{impl_->config.spool, impl_->config.storage};
  auto location = live != nullptr ? Result<exporter::VideoLocation>(exporter::locate_recording(
                                        folders, live->recording, live->app, live->stream_name))
                                  : exporter::locate_video(folders, row);
  if (!location) {
    return then(std::move(location).error());
  }
  const bool posted = post(
      reads(),
      [&files = impl_->files, location = std::move(location).value()] {
        return read_first(files, location);
      },
      then);
  if (!posted) {
    then(Error{Errc::kUnavailable, "too much file work is waiting"});
  }
}

int Application::wakeup_fd() const { return impl_->wakeup->fd(); }

void Application::woken() {
  impl_->wakeup->drain();
  impl_->recorder.woken();
}

void Application::tick() {
  if (impl_->journal != nullptr) {
    impl_->journal->tick(impl_->clock.monotonic_ms());
  }
  impl_->recorder.tick();
  impl_->events.tick();
  impl_->live.tick();
  if (impl_->worker) {
    impl_->worker->tick();
  }
}

void Application::drain() {
  impl_->recorder.drain();
  if (impl_->worker) {
    impl_->worker->end();
  }
}

bool Application::busy() const { return impl_->recorder.busy() || impl_->live.busy(); }

void Application::leave() {
  impl_->worker.reset();
  impl_->live.leave();
  impl_->recorder.leave();
  // nginx has ended its pools' threads before this: nobody writes from the journal any more. What
  // is not in use of it goes, what is stays for whoever comes back.
  impl_->journal.reset();
  impl_->wakeup.reset();
}

}  // namespace recording::app
