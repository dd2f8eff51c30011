#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace recording::runtime {

// One datagram socket a worker, at {runtime}/w.{pid}. A datagram has no content: the live state is
// the message. Non-blocking both ways; a full queue means that a wake-up is already pending.
class WakeupSocket {
 public:
  // Replaces a stale one of our pid. kInvalidArgument: the directory's name is too long for the
  // address of a socket (107 bytes in all).
  static Result<WakeupSocket> open(const std::string& directory);
  WakeupSocket(WakeupSocket&&) noexcept = default;
  ~WakeupSocket();  // unlinks its path

  [[nodiscard]] int fd() const {
    return fd_.get();
  }  // readable: call drain(), then look at the state
  void drain() noexcept;

  // Wakes the worker `pid`; a dead one's socket is removed. Never fails: a timer is the fallback.
  void wake(std::int32_t pid) const noexcept;
  // Wakes every worker that has a socket here.
  void wake_all() const noexcept;

 private:
  WakeupSocket(std::string directory, UniqueFd fd, std::int32_t pid);
  std::string directory_;
  UniqueFd fd_;
  std::int32_t pid_;  // a forked child's copy must not take the path away
};

}  // namespace recording::runtime
