// What recording cannot cost less than on this machine: every byte copied once out of the receive
// buffer, and every fragment written with one gathered write. Prints CPU seconds per GB as JSON.
//
//   floor DIRECTORY FRAGMENT_BYTES MESSAGE_BYTES

#include <fcntl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kTotal = 256U << 20;  // bytes moved per round
constexpr std::size_t kSegment = 256 << 10;
constexpr std::size_t kReceiveBuffers = 1
                                        << 20;  // what is copied was just received: it is in cache
constexpr std::size_t kMaxPieces = 1024;        // IOV_MAX
constexpr int kRounds = 5;

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double per_gigabyte(double seconds) { return seconds / static_cast<double>(kTotal) * 1e9; }

// Messages into segments that are used over and over, as a journal's are.
double copy_cost(std::size_t message) {
  const std::vector<std::uint8_t> from(kReceiveBuffers, 1);
  std::vector<std::uint8_t> to(3 * kSegment, 2);
  const std::size_t piece = std::min(message, kSegment);
  const double begin = cpu_seconds();
  std::size_t source = 0;
  std::size_t target = 0;
  for (std::size_t done = 0; done < kTotal; done += piece) {
    source = source + piece > from.size() ? 0 : source;
    target = target + piece > to.size() ? 0 : target;
    std::memcpy(&to[target], &from[source], piece);
    asm volatile("" : : "r"(to.data()) : "memory");  // the copy is not optimised away
    source += piece;
    target += piece;
  }
  return per_gigabyte(cpu_seconds() - begin);
}

// Fragments appended to a new file, one pwritev each.
double write_cost(const std::string& path, std::size_t fragment, std::size_t message) {
  const std::size_t pieces = std::clamp<std::size_t>(fragment / message, 1, kMaxPieces);
  std::vector<std::uint8_t> media(fragment, 3);
  std::vector<iovec> vectors;
  const std::size_t step = fragment / pieces;
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::size_t size = i + 1 == pieces ? fragment - i * step : step;
    vectors.push_back({&media[i * step], size});
  }
  const int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) {
    std::perror(path.c_str());
    std::exit(1);
  }
  const double begin = cpu_seconds();
  for (std::size_t done = 0; done < kTotal; done += fragment) {
    const ssize_t written =
        ::pwritev(fd, vectors.data(), static_cast<int>(vectors.size()), static_cast<off_t>(done));
    if (written != static_cast<ssize_t>(fragment)) {
      std::perror("pwritev");
      ::unlink(path.c_str());
      std::exit(1);
    }
  }
  const double cost = per_gigabyte(cpu_seconds() - begin);
  ::close(fd);
  ::unlink(path.c_str());
  return cost;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: floor DIRECTORY FRAGMENT_BYTES MESSAGE_BYTES\n");
    return 2;
  }
  const std::string path = std::string(argv[1]) + "/floor." + std::to_string(::getpid());
  const std::size_t fragment = std::max(1UL, std::strtoul(argv[2], nullptr, 10));
  const std::size_t message = std::clamp(std::strtoul(argv[3], nullptr, 10), 1UL, fragment);
  std::array<double, kRounds> copies{};
  std::array<double, kRounds> writes{};
  for (std::size_t round = 0; round < kRounds; ++round) {
    copies[round] = copy_cost(message);
    writes[round] = write_cost(path, fragment, message);
  }
  std::sort(copies.begin(), copies.end());
  std::sort(writes.begin(), writes.end());
  std::printf("{\"copy\":%.4f,\"write\":%.4f}\n", copies[kRounds / 2], writes[kRounds / 2]);
  return 0;
}
