#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

// Small files of live playback, read and written at once. May block: pool threads only.
namespace recording::transcode {

Result<std::string> read_whole(const std::string& path);
// Readers see the old text or the new one. Need not survive a power cut.
Status write_whole(const std::string& path, std::string_view text);

}  // namespace recording::transcode
