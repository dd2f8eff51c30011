#pragma once

#include <cstdint>

namespace recording::mp4 {

// `ticks` (not negative) of one clock in those of another: `extra` is 0 to round down, from / 2 to
// round to the nearest, from - 1 to round up. At most kLongestTime, which a damaged file alone
// reaches, so that sums of times do not overflow. One of the clocks is below 2^31.
inline constexpr std::int64_t kLongestTime = std::int64_t{1} << 60;
constexpr std::int64_t rescale(std::int64_t ticks, std::uint32_t from, std::uint32_t to,
                               std::uint32_t extra = 0) {
  const std::int64_t whole = ticks / from;
  if (whole > kLongestTime / to) {
    return kLongestTime;
  }
  return whole * to + (ticks % from * to + extra) / from;
}

}  // namespace recording::mp4
