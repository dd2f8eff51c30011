#include "runtime/wakeup.hpp"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "runtime/sys_error.hpp"

namespace recording::runtime {
namespace {

constexpr std::size_t kLongestName = sizeof "/w.2147483647";  // with the NUL of sun_path

// noexcept on purpose: no allocation, since wake() may be called anywhere.
bool make_address(const std::string& directory, std::int32_t pid, sockaddr_un& address) noexcept {
  address = {};
  address.sun_family = AF_UNIX;
  int size = std::snprintf(address.sun_path, sizeof address.sun_path, "%s/w.%d", directory.c_str(),
                           static_cast<int>(pid));
  return size > 0 && static_cast<std::size_t>(size) < sizeof address.sun_path;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<WakeupSocket> WakeupSocket::open(const std::string& directory) {
  if (directory.size() + kLongestName > sizeof(sockaddr_un::sun_path)) {
    return Error{Errc::kInvalidArgument,
                 "the name of " + directory + " is too long: " +
                     std::to_string(sizeof(sockaddr_un::sun_path) - kLongestName) +
                     " bytes at most, as sockets are made in it"};
  }
  std::int32_t pid = ::getpid();
  sockaddr_un address;
  (void)make_address(directory, pid, address);
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return sys_error("socket", errno);
  }
  ::unlink(address.sun_path);
  if (::bind(fd.get(), generic(address), sizeof address) != 0) {
    return sys_error(std::string("bind ") + address.sun_path, errno);
  }
  return WakeupSocket(directory, std::move(fd), pid);
}

WakeupSocket::WakeupSocket(std::string directory, UniqueFd fd, std::int32_t pid)
    : directory_(std::move(directory)), fd_(std::move(fd)), pid_(pid) {}

WakeupSocket::~WakeupSocket() {
  sockaddr_un address;
  if (fd_.valid() && pid_ == ::getpid() && make_address(directory_, pid_, address)) {
    ::unlink(address.sun_path);
  }
}

void WakeupSocket::drain() noexcept {
  // Bounded: who sends without end must not keep the event loop here. What is left wakes it again.
  char byte;
  for (int i = 0; i < 1024; ++i) {
    if (::recv(fd_.get(), &byte, sizeof byte, MSG_DONTWAIT) < 0 && errno != EINTR) {
      return;
    }
  }
}

void WakeupSocket::wake(std::int32_t pid) const noexcept {
  sockaddr_un address;
  if (pid <= 0 || !make_address(directory_, pid, address)) {
    return;
  }
  const char byte = 0;
  if (::sendto(fd_.get(), &byte, sizeof byte, MSG_DONTWAIT | MSG_NOSIGNAL, generic(address),
               sizeof address) < 0 &&
      errno == ECONNREFUSED) {
    ::unlink(address.sun_path);  // nobody has it open: its worker was killed
  }
}

void WakeupSocket::wake_all() const noexcept {
  std::unique_ptr<DIR, DirectoryCloser> directory(::opendir(directory_.c_str()));
  if (!directory) {
    return;
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    std::string_view name = entry->d_name;
    std::int32_t pid = 0;
    if (name.substr(0, 2) != "w.") {
      continue;
    }
    const char* end = name.data() + name.size();
    if (auto [at, error] = std::from_chars(name.data() + 2, end, pid);
        error == std::errc() && at == end) {
      wake(pid);
    }
  }
}

}  // namespace recording::runtime
