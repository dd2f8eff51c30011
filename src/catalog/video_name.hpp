#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace recording::catalog {

// "Stream Record: {stream}, {end time}", without the time while it is not known (0). Valid UTF-8.
std::string default_video_name(std::string_view stream_name, std::int64_t ended_wall_ms);

}  // namespace recording::catalog
