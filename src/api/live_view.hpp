#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/routes.hpp"
#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "runtime/live_state.hpp"

// Copies of what the live state knows, taken under its lock, to be shown without it.
namespace recording::api {

struct LiveStream {
  std::int32_t index = runtime::kNone;
  runtime::StreamRecord stream;
  std::optional<runtime::RecordingRecord> recording;  // the current one

  [[nodiscard]] bool live() const { return stream.session.id != 0; }
};

// A recording whose row the catalogue may not have yet.
struct LiveVideo {
  runtime::RecordingRecord recording;
  std::int32_t index = runtime::kNone;
  std::string app, stream_name;
  std::int64_t width = 0, height = 0;  // of what the session gives it now; 0: not known
  bool current = false;                // the stream's current one: it may still be stopped
};

Result<std::optional<LiveStream>> find_live_stream(runtime::LiveState& state, const Target& target);
// Whether a recording of the stream, its current one or another, is not known to have ended yet.
Result<bool> has_open_recording(runtime::LiveState& state, const Target& target);
// Live streams whose id is not known in the live state: the catalogue may have no row of them.
Result<std::vector<LiveStream>> live_streams_without_id(runtime::LiveState& state);
// Those that are live or recorded.
Result<std::vector<LiveStream>> busy_streams(runtime::LiveState& state);
// For each row its live record, if there is one; in the order of the rows.
Result<std::vector<std::optional<LiveStream>>> live_streams_of(
    runtime::LiveState& state, const std::vector<catalog::StreamRow>& rows);

// The video that `recording` of `stream` makes, as far as these two tell.
LiveVideo live_video_of(const runtime::RecordingRecord& recording,
                        const runtime::StreamRecord& stream);
Result<std::optional<LiveVideo>> find_live_video(runtime::LiveState& state, std::int64_t video_id);
Result<std::vector<LiveVideo>> live_videos(runtime::LiveState& state);

}  // namespace recording::api
