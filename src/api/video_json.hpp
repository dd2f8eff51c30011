#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "api/live_view.hpp"
#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "exporter/links.hpp"

namespace recording::api {

// A video as the API shows it: its row, or what the live state says while there is none.
struct VideoView {
  catalog::VideoRow row;
  bool has_row = true;  // false: what only the finished file tells is not known
  std::vector<catalog::RenditionRow> renditions;
};

// The row that a recording would have now. Its name is empty while `name` would be the default.
catalog::VideoRow row_of(const LiveVideo& video);
// What to show of a recording without a row.
VideoView view_of(const LiveVideo& video);
// The same where the row exists but does not know the outcome yet: it has what users changed.
VideoView view_of(const LiveVideo& video, catalog::VideoRow row);
// What to show of a video: its row and its live record made one. kNotFound: there is no such video,
// or it was deleted. Pool threads, as all that asks the catalogue.
Result<VideoView> merged_view(catalog::Catalog& rows, Result<catalog::VideoRow> row,
                              const std::optional<LiveVideo>& live);
// The renditions of these videos, put into them. Pool threads.
Status add_renditions(catalog::Catalog& rows, std::vector<VideoView>& views);
// Whether the row says how the recording ended; what the live state says is then out of date.
bool is_settled(const catalog::VideoRow& row);

// `fields`: the only ones wanted; empty: all.
Json video_json(const VideoView& view, const exporter::Links& links,
                const std::vector<std::string>& fields);

}  // namespace recording::api
