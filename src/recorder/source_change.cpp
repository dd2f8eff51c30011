#include "recorder/source_change.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace recording::recorder {
namespace {

static_assert(media::kParameterFields.size() <= runtime::kMostSourceFields);

void count(runtime::Metrics& metrics, const std::vector<media::ParameterChange>& fields) {
  constexpr auto& kNames = media::kParameterFields;
  for (const media::ParameterChange& change : fields) {
    const auto* name = std::find(kNames.begin(), kNames.end(), change.field);
    if (name != kNames.end()) {
      metrics.source_changes[static_cast<std::size_t>(name - kNames.begin())].add();
    }
  }
}

}  // namespace

std::string in_words(const SourceChange& change) {
  const std::int64_t seconds = change.at_ms / 1000;
  char time[32];
  std::snprintf(time, sizeof(time), "%02" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600,
                seconds / 60 % 60, seconds % 60);
  return media::in_words(change.fields) + " at " + time;
}

void tell_changes(Events& events, runtime::Metrics& metrics, const mp4::Identity& recording,
                  const std::vector<SourceChange>& changes) {
  for (const SourceChange& change : changes) {
    count(metrics, change.fields);
    events.emit("recording.source_changed", stream_of(recording),
                {{"recording_id", recording.slug},
                 {"video_id", recording.video_id},
                 {"at_ms", change.at_ms},
                 {"message", in_words(change)},
                 {"changes", change.fields}});
  }
}

}  // namespace recording::recorder
