#pragma once

#include <cstdint>

namespace recording {

// Any thread. Windows and deadlines use the monotonic time, which the whole machine shares and
// which a change of the wall clock does not move (CLOCK_BOOTTIME); what people read uses the other.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::int64_t monotonic_ms() const noexcept = 0;
  [[nodiscard]] virtual std::int64_t wall_ms() const noexcept = 0;  // since 1970, UTC
};

}  // namespace recording
