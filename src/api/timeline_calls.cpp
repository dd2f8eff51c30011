#include <optional>
#include <utility>

#include "api/calls.hpp"
#include "api/live_view.hpp"
#include "api/replies.hpp"
#include "api/timeline_json.hpp"
#include "api/video_json.hpp"

namespace recording::api {

namespace {

Response timeline_failure(const Error& error) {
  if (error.code == Errc::kNotFound) {
    return failure(
        404, "video_has_no_file",
        "nothing of this video is on disk yet, or its file was removed; while it is being "
        "recorded ask again in a second");
  }
  if (error.code == Errc::kUnavailable) {
    return failure(error);
  }
  return failure(503, "file_unreadable", "the video's file cannot be read: " + error.message);
}

void read_timeline(Call call, const VideoView& view, const std::optional<LiveVideo>& live) {
  if (view.row.status == "error") {
    return call.done(
        failure(404, "video_has_no_file",
                "the recording was not kept (" + view.row.error + "), so there is no timeline"));
  }
  Backend& backend = *call.backend;
  // A row that has the outcome knows where the file is now; the live record may be out of date.
  const LiveVideo* current = live && !is_settled(view.row) ? &*live : nullptr;
  backend.read_timeline(
      view.row, current,
      [call = std::move(call), slug = view.row.slug](Result<recorder::Timeline> timeline) {
        call.done(timeline ? reply(200, timeline_json(timeline.value(), call.request.links, slug))
                           : timeline_failure(timeline.error()));
      });
}

}  // namespace

void get_timeline(Call call) {
  Backend& backend = *call.backend;
  const std::int64_t id = *call.target.id;
  Result<std::optional<LiveVideo>> live = find_live_video(backend.state(), id);
  if (!live) {
    return call.done(failure(live.error()));
  }
  const std::optional<LiveVideo> found = std::move(live).value();
  backend.catalog().read(
      [id, found](catalog::Catalog& rows) { return merged_view(rows, rows.video(id), found); },
      [call = std::move(call), found](Result<VideoView> view) mutable {
        if (!view) {
          return call.done(catalog_failure(view.error()));
        }
        read_timeline(std::move(call), view.value(), found);
      });
}

}  // namespace recording::api
