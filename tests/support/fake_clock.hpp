#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace recording::test {

// Time stands still until the test moves it. advance() moves both times, as real time does; the
// wall clock alone can be set, as an administrator or NTP does.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::int64_t monotonic_ms = 1'000'000,
                     std::int64_t wall_ms = 1'800'000'000'000)
      : monotonic_ms_(monotonic_ms), wall_ms_(wall_ms) {}

  [[nodiscard]] std::int64_t monotonic_ms() const noexcept override { return monotonic_ms_; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return wall_ms_; }

  void advance(std::int64_t ms) {
    monotonic_ms_ += ms;
    wall_ms_ += ms;
  }
  void set_wall(std::int64_t ms) { wall_ms_ = ms; }

 private:
  std::int64_t monotonic_ms_;
  std::int64_t wall_ms_;
};

}  // namespace recording::test
