// A load publisher: many RTMP connections from one thread, for tests and the bench.

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <vector>

#include "connection.hpp"
#include "message_source.hpp"
#include "options.hpp"

namespace rtmp_publisher {
namespace {

// A real-time encoder's messages leave within this of being due. Shorter ticks would make the
// publisher's own cost part of what a bench on a small machine measures.
constexpr int kTickMs = 10;
constexpr std::uint32_t kSignals = 0xFFFFFFFF;

double monotonic() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// SIGTERM and SIGINT end the connections as told by --close, with a report.
int open_signal_fd() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

class Loop {
 public:
  Loop(const Options& options, const Playlist& playlist, std::FILE* log)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        signals_(open_signal_fd()),
        watched_for_write_(options.connections, true) {
    watch(EPOLL_CTL_ADD, signals_, EPOLLIN, kSignals);
    for (std::uint32_t i = 0; i < options.connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(options, playlist, i, log));
    }
  }

  void run() {
    for (std::uint32_t i = 0; i < connections_.size(); ++i) {
      connections_[i]->open(monotonic());
      if (!connections_[i]->closed()) {
        watch(EPOLL_CTL_ADD, connections_[i]->fd(), EPOLLIN | EPOLLOUT, i);
      }
    }
    while (std::any_of(connections_.begin(), connections_.end(),
                       [](const auto& connection) { return !connection->closed(); })) {
      turn();
    }
  }

  [[nodiscard]] const std::vector<std::unique_ptr<Connection>>& connections() const {
    return connections_;
  }

 private:
  void watch(int operation, int fd, std::uint32_t events, std::uint32_t id) const {
    epoll_event event{};
    event.events = events;
    event.data.u32 = id;
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  void turn() {
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), kTickMs);
    const double now = monotonic();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.u32 == kSignals) {
        signalfd_siginfo info{};
        [[maybe_unused]] const ssize_t got = ::read(signals_, &info, sizeof info);
        for (const auto& connection : connections_) {
          connection->stop();
        }
      } else if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        connections_[event.data.u32]->step(now, true);
      }
    }
    for (std::uint32_t i = 0; i < connections_.size(); ++i) {
      Connection& connection = *connections_[i];
      connection.step(now, false);
      const bool write = connection.wants_write();
      if (!connection.closed() && write != watched_for_write_[i]) {
        watch(EPOLL_CTL_MOD, connection.fd(), EPOLLIN | (write ? EPOLLOUT : 0U), i);
        watched_for_write_[i] = write;
      }
    }
  }

  int epoll_, signals_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<bool> watched_for_write_;
};

int report(const Loop& loop, double wall) {
  std::size_t accepted = 0;
  std::size_t failed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
  for (const auto& connection : loop.connections()) {
    std::puts(connection->report().c_str());
    accepted += connection->accepted();
    failed += connection->failed();
    bytes += connection->bytes_sent();
    messages += connection->messages(Kind::kAudio) + connection->messages(Kind::kVideo);
  }
  std::printf(
      "{\"summary\":{\"connections\":%zu,\"accepted\":%zu,\"failed\":%zu,\"messages\":%llu,"
      "\"bytes\":%llu,\"wall_seconds\":%.3f,\"cpu_seconds\":%.3f}}\n",
      loop.connections().size(), accepted, failed, static_cast<unsigned long long>(messages),
      static_cast<unsigned long long>(bytes), wall, cpu_seconds());
  return failed == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  Options options;
  Playlist playlist;
  std::string error;
  if (!parse_options(argc, argv, options, error)) {
    std::fprintf(error.empty() ? stdout : stderr, "%s%s%s", error.c_str(),
                 error.empty() ? "" : "; see --help\n", error.empty() ? kUsage : "");
    return error.empty() ? 0 : 2;
  }
  if (!Playlist::make(options, playlist, error)) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  std::FILE* log = nullptr;
  if (!options.log_path.empty()) {
    log = std::fopen(options.log_path.c_str(), "we");
    if (log == nullptr) {
      std::perror(options.log_path.c_str());
      return 2;
    }
    std::setvbuf(log, nullptr, _IOLBF, 0);  // it is read while we run, and after we were killed
  }
  const double begin = monotonic();
  Loop loop(options, playlist, log);
  loop.run();
  if (log != nullptr && std::fclose(log) != 0) {
    std::perror(options.log_path.c_str());
    return 1;
  }
  return report(loop, monotonic() - begin);
}

}  // namespace
}  // namespace rtmp_publisher

int main(int argc, char** argv) { return rtmp_publisher::run(argc, argv); }
