#include "recorder/source_change.hpp"

#include <cinttypes>
#include <cstdio>

namespace recording::recorder {

std::string in_words(const SourceChange& change) {
  const std::int64_t seconds = change.at_ms / 1000;
  char time[32];
  std::snprintf(time, sizeof(time), "%02" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600,
                seconds / 60 % 60, seconds % 60);
  return media::in_words(change.fields) + " at " + time;
}

void tell_changes(Events& events, const mp4::Identity& recording,
                  const std::vector<SourceChange>& changes) {
  for (const SourceChange& change : changes) {
    events.emit("recording.source_changed", {{"recording_id", recording.slug},
                                             {"video_id", recording.video_id},
                                             {"stream_id", recording.stream_id},
                                             {"at_ms", change.at_ms},
                                             {"message", in_words(change)},
                                             {"changes", change.fields}});
  }
}

}  // namespace recording::recorder
