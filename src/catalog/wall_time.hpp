#pragma once

#include <chrono>
#include <cstdint>

namespace recording::catalog {

// For created_at and updated_at, where the caller gives none.
inline std::int64_t wall_time_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace recording::catalog
