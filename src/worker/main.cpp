// recording-worker: makes the qualities and pictures of recordings. Beside nginx, which starts it
// (`worker 1;`), or by itself. docs/operations.md has its manual.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/system_clock.hpp"
#include "base/unique_fd.hpp"
#include "catalog/sqlite_catalog.hpp"
#include "config/config_file.hpp"
#include "config/directives.hpp"
#include "runtime/runtime_directory.hpp"
#include "storage/posix_file.hpp"
#include "worker/job_service.hpp"
#include "worker/privileges.hpp"
#include "worker/rebuild.hpp"
#include "worker/service.hpp"
#include "worker/stderr_log.hpp"
#include "worker/webhook_service.hpp"
#include "worker/worker_lock.hpp"

namespace {

using namespace recording;

enum Exit : int { kDone = 0, kFailed = 1, kUsage = 64 };

constexpr char kHelp[] =
    "usage: recording-worker -c FILE [-p PREFIX] [-t | -r]\n"
    "Processes recordings into videos. nginx runs one by itself unless it has \"worker off\".\n"
    "  -c FILE    nginx.conf, or a file with its recording { } block; -: standard input\n"
    "  -p PREFIX  of nginx, for relative paths in it\n"
    "  -t         only tests the configuration\n"
    "  -r         only puts videos of the storage that the catalogue lacks into it\n";

constexpr int kLockStepMs = 100;

struct Arguments {
  bool test = false, rebuild = false, help = false, valid = true;
  std::string file, prefix;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int option = 0; (option = ::getopt(count, values, "c:p:trh")) != -1;) {
    switch (option) {
      case 'c':
        arguments.file = ::optarg;
        break;
      case 'p':
        arguments.prefix = ::optarg;
        arguments.prefix += arguments.prefix.ends_with('/') ? "" : "/";
        break;
      case 't':
        arguments.test = true;
        break;
      case 'r':
        arguments.rebuild = true;
        break;
      case 'h':
        arguments.help = true;
        break;
      default:
        arguments.valid = false;
    }
  }
  arguments.valid = arguments.valid && ::optind == count &&
                    (arguments.help || !arguments.file.empty()) &&
                    !(arguments.test && arguments.rebuild) &&
                    (arguments.prefix.empty() || arguments.prefix.starts_with('/'));
  return arguments;
}

// SIGTERM and SIGINT, in every thread that is started from now on.
UniqueFd catch_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGCHLD, SIG_IGN);  // launchers say how a program ended; nobody waits for them
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  return UniqueFd(::signalfd(-1, &ends, SFD_CLOEXEC));
}

// -1: however long it takes. True: the program is to end.
bool wait_for_signal(const UniqueFd& signals, int timeout_ms) {
  struct pollfd watched = {signals.get(), POLLIN, 0};
  return ::poll(&watched, 1, timeout_ms) > 0;
}

Status prepare(const config::Config& config) {
  RECORDING_TRY(worker::become_owner_of(config.storage));
  worker::lower_priority();
  return runtime::make_runtime_directory(config.runtime, ::geteuid(), ::getegid());
}

// False: it is to end.
Result<bool> take(worker::WorkerLock& lock, const UniqueFd& signals, Log& log) {
  for (bool told = false;;) {
    auto taken = lock.try_take();
    if (!taken || taken.value()) {
      return taken;
    }
    if (!told) {
      told = true;
      log.write(LogLevel::kInfo, "another recording-worker runs; waiting for its end");
    }
    if (wait_for_signal(signals, kLockStepMs)) {
      return false;
    }
  }
}

class VideoProcessor final : public worker::Processor {
 public:
  explicit VideoProcessor(storage::FileSystem& files) : files_(files) {}
  Result<std::vector<transcode::RenditionSetting>> fitting(
      const std::string& source,
      const std::vector<transcode::RenditionSetting>& settings) override {
    return processing::fitting_renditions(files_, source, settings);
  }
  Result<processing::Outcome> process(const processing::Order& order,
                                      processing::Observer& observer) override {
    return processing::process_video(files_, order, observer);
  }

 private:
  storage::FileSystem& files_;
};

// All that this program does, each in a thread of its own. What is here outlives the services.
struct Parts {
  Parts(const config::Config& config, const std::string& holder, Log& log) {
    const auto open = [path = config.catalog_path] {
      return catalog::open_sqlite_catalog(path, true);
    };
    services.push_back(std::make_unique<worker::JobService>(
        worker::JobEnvironment{config, clock, log, files, processor}, holder, open));
    for (const config::Webhook& webhook : config.webhooks) {
      services.push_back(std::make_unique<worker::WebhookService>(webhook, open, log));
    }
  }

  SystemClock clock;
  storage::PosixFileSystem files;
  VideoProcessor processor{files};
  std::vector<std::unique_ptr<worker::Service>> services;
};

Status work(const config::Config& config, Log& log) {
  const UniqueFd signals = catch_signals();
  RECORDING_TRY(prepare(config));
  auto lock = worker::WorkerLock::open(config.runtime);
  if (!lock) {
    return std::move(lock).error();
  }
  auto taken = take(lock.value(), signals, log);
  if (!taken) {
    return std::move(taken).error();
  }
  if (!taken.value()) {
    return ok();
  }
  log.write(LogLevel::kNotice, "started, " + std::to_string(config.workers) + " jobs at once");
  const Parts parts(config, lock.value().holder(), log);
  std::vector<std::jthread> threads;
  for (const auto& service : parts.services) {
    threads.emplace_back([&service](const std::stop_token& stop) { service->run(stop); });
  }
  (void)wait_for_signal(signals, -1);
  for (std::jthread& thread : threads) {
    thread.request_stop();
  }
  threads.clear();  // joins
  log.write(LogLevel::kNotice, "ended");
  return ok();
}

Status rebuild(const config::Config& config, Log& log) {
  RECORDING_TRY(worker::become_owner_of(config.storage));
  storage::PosixFileSystem files;
  auto rows = catalog::open_sqlite_catalog(config.catalog_path, true);
  if (!rows) {
    return std::move(rows).error();
  }
  auto rebuilt = worker::rebuild_catalog(config, files, *rows.value(), log);
  if (!rebuilt) {
    return std::move(rebuilt).error();
  }
  const worker::Rebuilt& done = rebuilt.value();
  log.write(LogLevel::kNotice, std::to_string(done.put) + " videos were put into the catalogue, " +
                                   std::to_string(done.known) + " were known, " +
                                   std::to_string(done.unreadable) + " cannot be read");
  return ok();
}

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

int fail(const Error& error) {
  (void)std::fprintf(stderr, "recording-worker: %s\n", error.message.c_str());
  return kFailed;
}

int run(const Arguments& arguments) {
  auto config = config::read_config(arguments.file, arguments.prefix);
  if (!config) {
    return fail(config.error());
  }
  if (arguments.test) {
    (void)std::fprintf(stderr, "recording-worker: the configuration of %s is good\n",
                       arguments.file.c_str());
    return kDone;
  }
  if (config.value().workers == 0) {
    config.value().workers = 1;  // "off" is nginx's
  }
  config.value().launcher = config::beside(own_path(), "recording-launcher");
  worker::StderrLog log;
  Status done = arguments.rebuild ? rebuild(config.value(), log) : work(config.value(), log);
  if (!done) {
    log.write(LogLevel::kError, done.error().message);
  }
  return done ? kDone : kFailed;
}

}  // namespace

int main(int count, char** values) {
  try {
    const Arguments arguments = parse(count, values);
    if (!arguments.valid || arguments.help) {
      (void)std::fputs(kHelp, arguments.valid ? stdout : stderr);
      return arguments.valid ? kDone : kUsage;
    }
    return run(arguments);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "recording-worker: %s\n", error.what());
    return kFailed;
  }
}
