#include "catalog/video_name.hpp"

#include "base/strings.hpp"

namespace recording::catalog {

std::string default_video_name(std::string_view stream_name, std::int64_t ended_wall_ms) {
  std::string name = "Stream Record: " + to_valid_utf8(stream_name);
  if (ended_wall_ms > 0) {
    std::string time = iso8601(ended_wall_ms);
    // Whole seconds are enough for people: 2026-11-23T10:20:30.123Z -> 2026-11-23T10:20:30Z
    if (const auto dot = time.find('.'); dot != std::string::npos) {
      time = time.substr(0, dot) + "Z";
    }
    name += ", " + time;
  }
  return name;
}

}  // namespace recording::catalog
