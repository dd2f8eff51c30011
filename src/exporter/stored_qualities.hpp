#pragma once

#include <string>
#include <vector>

#include "exporter/playback_text.hpp"

namespace recording::exporter {

// The qualities beside the source at `path` that HLS can play, the best first: what is in the
// folder counts, whoever put it there. One that cannot be read is left out. Blocks: pool threads.
std::vector<HlsVariant> stored_qualities(const std::string& path);

}  // namespace recording::exporter
