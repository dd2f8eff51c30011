#pragma once

#include <vector>

#include "config/config.hpp"

namespace recording::config {

// What can be asked for by name: those of the configuration, and the usual heights with usual bit
// rates. The largest first.
std::vector<transcode::RenditionSetting> offered_renditions(const Config& config);

}  // namespace recording::config
