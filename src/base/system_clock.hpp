#pragma once

#include <time.h>

#include "base/clock.hpp"

namespace recording {

// The machine's clocks. CLOCK_BOOTTIME counts on while the machine sleeps and starts with it, as
// the runtime directory on tmpfs does.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t monotonic_ms() const noexcept override { return read(CLOCK_BOOTTIME); }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return read(CLOCK_REALTIME); }

 private:
  static std::int64_t read(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
  }
};

}  // namespace recording
