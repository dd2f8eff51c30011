#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace recording::storage {

// The folder of a finished video, relative to the storage: {app}/{stream}/{UTC date}/{slug}, the
// names as path components that cannot escape or collide (base/strings.hpp).
std::string video_folder(std::string_view app, std::string_view stream,
                         std::int64_t started_wall_ms, std::string_view slug);

}  // namespace recording::storage
