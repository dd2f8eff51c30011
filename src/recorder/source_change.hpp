#pragma once

#include <cstdint>
#include <vector>

#include "media/parameter_list.hpp"
#include "mp4/sample.hpp"
#include "recorder/events.hpp"
#include "runtime/metrics.hpp"

namespace recording::recorder {

// The source became another one at this place of a recording.
struct SourceChange {
  std::int64_t at_ms = 0;
  std::vector<media::ParameterChange> fields;
};

// "pixel format yuv420p → yuvj420p at 00:05:12"
std::string in_words(const SourceChange& change);
void tell_changes(Events& events, runtime::Metrics& metrics, const mp4::Identity& recording,
                  const std::vector<SourceChange>& changes);

}  // namespace recording::recorder
