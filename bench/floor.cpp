// What recording cannot cost less than on this machine: every byte copied once out of the receive
// buffer, and every fragment written with one gathered write. In real time and with as much memory
// in use as the streams have, because both decide what a byte costs: nothing is in a cache that a
// second of all streams has gone through. Prints CPU seconds per GB as JSON.
//
//   floor DIRECTORY FRAGMENT_BYTES MESSAGE_BYTES STREAMS
//
// A fragment is a second of one stream.

#include <fcntl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr int kSeconds = 4;  // the first one fills memory and page tables, and is not counted
constexpr std::size_t kReceiveBuffers = 1
                                        << 20;  // what is copied was just received: it is in cache
constexpr std::size_t kMaxPieces = 1024;        // IOV_MAX

double clock_seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double cpu_seconds() { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

void sleep_until(double at) {
  const double left = at - clock_seconds(CLOCK_MONOTONIC);
  if (left > 0) {
    const auto seconds = static_cast<time_t>(left);
    const timespec time{seconds, static_cast<long>((left - static_cast<double>(seconds)) * 1e9)};
    ::nanosleep(&time, nullptr);
  }
}

struct Stream {
  int fd = -1;
  std::string path;
  std::vector<std::uint8_t> memory;  // two fragments: one is written, one gathered
  std::size_t at = 0;
  off_t written = 0;
};

class Machine {
 public:
  Machine(const std::string& directory, std::size_t fragment, std::size_t message,
          std::size_t streams)
      : message_(message), fragment_(fragment), received_(kReceiveBuffers, 1), streams_(streams) {
    for (std::size_t i = 0; i < streams; ++i) {
      Stream& stream = streams_[i];
      stream.path = directory + "/floor." + std::to_string(::getpid()) + "." + std::to_string(i);
      stream.memory.assign(2 * fragment, 2);
      stream.fd = ::open(stream.path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
      if (stream.fd < 0) {
        fail(stream.path.c_str());
      }
    }
  }
  ~Machine() {
    for (const Stream& stream : streams_) {
      ::close(stream.fd);
      ::unlink(stream.path.c_str());
    }
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // A fragment's worth of messages, those of all streams in turn.
  void copy() {
    for (std::size_t done = 0; done < fragment_; done += message_) {
      Stream& stream = streams_[next_++ % streams_.size()];
      from_ = from_ + message_ > received_.size() ? 0 : from_;
      stream.at = stream.at + message_ > stream.memory.size() ? 0 : stream.at;
      std::memcpy(&stream.memory[stream.at], &received_[from_], message_);
      asm volatile("" : : "r"(stream.memory.data()) : "memory");  // not optimised away
      from_ += message_;
      stream.at += message_;
    }
  }

  void write(Stream& stream) {
    const std::size_t pieces = std::clamp<std::size_t>(fragment_ / message_, 1, kMaxPieces);
    const std::size_t step = fragment_ / pieces;
    std::uint8_t* half = stream.memory.data() + (half_ ? fragment_ : 0);
    vectors_.clear();
    for (std::size_t i = 0; i < pieces; ++i) {
      vectors_.push_back({half + i * step, i + 1 == pieces ? fragment_ - i * step : step});
    }
    const ssize_t put =
        ::pwritev(stream.fd, vectors_.data(), static_cast<int>(vectors_.size()), stream.written);
    if (put != static_cast<ssize_t>(fragment_)) {
      fail("pwritev");
    }
    stream.written += put;
  }

  void measure() {
    double copies = 0;
    double writes = 0;
    const double begin = clock_seconds(CLOCK_MONOTONIC);
    for (int second = 0; second < kSeconds; ++second) {
      for (std::size_t i = 0; i < streams_.size(); ++i) {
        const double part = static_cast<double>(i) / static_cast<double>(streams_.size());
        sleep_until(begin + second + part);
        const double before = cpu_seconds();
        copy();
        const double between = cpu_seconds();
        write(streams_[i]);
        if (second > 0) {
          copies += between - before;
          writes += cpu_seconds() - between;
        }
      }
      half_ = !half_;
    }
    const double gigabytes =
        static_cast<double>(fragment_ * streams_.size()) * (kSeconds - 1) * 1e-9;
    std::printf("{\"copy\":%.4f,\"write\":%.4f}\n", copies / gigabytes, writes / gigabytes);
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    std::perror(what);
    std::exit(1);
  }

  std::size_t message_, fragment_;
  std::vector<std::uint8_t> received_;
  std::vector<Stream> streams_;
  std::vector<iovec> vectors_;
  std::size_t next_ = 0, from_ = 0;
  bool half_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: floor DIRECTORY FRAGMENT_BYTES MESSAGE_BYTES STREAMS\n");
    return 2;
  }
  const std::size_t fragment = std::max(1UL, std::strtoul(argv[2], nullptr, 10));
  const std::size_t message =
      std::clamp(std::strtoul(argv[3], nullptr, 10), 1UL, std::min(fragment, kReceiveBuffers));
  Machine machine(argv[1], fragment, message, std::max(1UL, std::strtoul(argv[4], nullptr, 10)));
  machine.measure();
  return 0;
}
