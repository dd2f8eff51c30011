#pragma once

#include <cstdint>
#include <string>

namespace recording::media {

// Frames a second as a fraction: 30000/1001 is not 29.97.
struct FrameRate {
  std::uint32_t num = 0, den = 1;  // num 0: not known

  [[nodiscard]] bool known() const { return num != 0; }
  [[nodiscard]] double per_second() const { return static_cast<double>(num) / den; }
  [[nodiscard]] std::string text() const;  // "25", "30000/1001"
  bool operator==(const FrameRate&) const = default;
};

// What a camera or an encoder may have; anything else that is declared is a mistake.
inline constexpr double kLowestFrameRate = 0.5, kHighestFrameRate = 300;

// The fraction that is meant: declared rates are rounded ("29.97", "23.98", 59940 in 1000 s). Not
// known for what is no number or outside the two above.
FrameRate frame_rate_from(double per_second);

}  // namespace recording::media
