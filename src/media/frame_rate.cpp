#include "media/frame_rate.hpp"

#include <array>
#include <cmath>
#include <numeric>

namespace recording::media {

std::string FrameRate::text() const {
  return den == 1 ? std::to_string(num) : std::to_string(num) + "/" + std::to_string(den);
}

FrameRate frame_rate_from(double per_second) {
  if (!(per_second >= kLowestFrameRate && per_second <= kHighestFrameRate)) {
    return {};
  }
  // Two decimal places of the NTSC rates are as good as it gets.
  constexpr double kRounding = 0.0055;
  constexpr std::array<std::uint32_t, 5> kNtsc = {24000, 30000, 60000, 120000, 240000};
  const double whole = std::round(per_second);
  if (std::abs(per_second - whole) < 0.0005) {
    return {static_cast<std::uint32_t>(whole), 1};
  }
  for (const std::uint32_t num : kNtsc) {
    if (std::abs(per_second - num / 1001.0) < kRounding) {
      return {num, 1001};
    }
  }
  const auto milli = static_cast<std::uint32_t>(std::lround(per_second * 1000));
  const std::uint32_t common = std::gcd(milli, 1000U);
  return {milli / common, 1000 / common};
}

}  // namespace recording::media
