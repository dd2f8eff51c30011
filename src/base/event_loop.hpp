#pragma once

#include <functional>
#include <memory>

namespace recording {

// Tells when a descriptor can be read from, or written to, without waiting. Event loop only.
class EventLoop {
 public:
  // Watches one descriptor, which must outlive it, until it is destroyed.
  class Watch {
   public:
    Watch() = default;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    virtual ~Watch() = default;
    // A read or write would have blocked: `ready` is called when it can be tried again.
    virtual void wait() = 0;
  };
  enum class For { kReading, kWriting };

  virtual ~EventLoop() = default;
  // `ready` may be called from now on, never from inside this call; it may destroy the watch. It
  // reads or writes until that would block. nullptr: no more can be watched.
  virtual std::unique_ptr<Watch> watch(int fd, For what, std::function<void()> ready) = 0;
};

}  // namespace recording
