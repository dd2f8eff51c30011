#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/event_loop.hpp"

namespace recording::test {

// Real descriptors, one poll(2) after the other, told again and again as long as they are ready.
class PollLoop final : public EventLoop {
 public:
  std::unique_ptr<Watch> watch(int fd, For what, std::function<void()> ready) override {
    const int id = next_++;
    watched_[id] = {fd, static_cast<short>(what == For::kReading ? POLLIN : POLLOUT),
                    std::make_shared<std::function<void()>>(std::move(ready)), true};
    return std::make_unique<PollWatch>(*this, id);
  }

  // Until `condition` is true; false: not within a minute. `between` is called each time.
  bool run_until(
      const std::function<bool()>& condition, const std::function<void()>& between = [] {}) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      run_once();
      between();
    }
    return true;
  }

  [[nodiscard]] std::size_t watching() const { return watched_.size(); }

 private:
  struct Entry {
    int fd;
    short events;
    std::shared_ptr<std::function<void()>> ready;
    bool waits;
  };
  class PollWatch final : public Watch {
   public:
    PollWatch(PollLoop& loop, int id) : loop_(loop), id_(id) {}
    ~PollWatch() override { loop_.watched_.erase(id_); }
    void wait() override { loop_.watched_[id_].waits = true; }

   private:
    PollLoop& loop_;
    int id_;
  };

  void run_once() {
    std::vector<pollfd> fds;
    std::vector<int> ids;
    for (const auto& [id, entry] : watched_) {
      if (entry.waits) {
        fds.push_back({entry.fd, entry.events, 0});
        ids.push_back(id);
      }
    }
    ::poll(fds.data(), fds.size(), 20);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto found = watched_.find(ids[i]);
      if (fds[i].revents == 0 || found == watched_.end()) {
        continue;
      }
      found->second.waits = false;
      const auto ready = found->second.ready;  // it may end the watch
      (*ready)();
    }
  }

  std::map<int, Entry> watched_;
  int next_ = 0;
};

}  // namespace recording::test
