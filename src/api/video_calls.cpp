#include <algorithm>
#include <utility>
#include <vector>

#include "api/calls.hpp"
#include "api/json.hpp"
#include "api/live_view.hpp"
#include "api/replies.hpp"
#include "api/request_fields.hpp"
#include "api/video_json.hpp"
#include "recorder/control.hpp"

namespace recording::api {

namespace {

using catalog::Catalog;
using catalog::VideoRow;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// As the catalogue's search: part of the name, A-Z as a-z.
bool contains(const std::string& text, const std::string& part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool matches(const VideoRow& row, const catalog::VideoFilter& filter) {
  return (!filter.stream_id || *filter.stream_id == row.stream_id) &&
         (!filter.client_user_id || filter.client_user_id == row.client_user_id) &&
         (filter.status.empty() || filter.status == row.status) &&
         (filter.ids.empty() ||
          std::find(filter.ids.begin(), filter.ids.end(), row.id) != filter.ids.end()) &&
         (filter.search.empty() || contains(row.name, filter.search));
}

// Of the recordings that the live state has, those without an outcome in the catalogue, newest
// first. Their ids are added to `ids`: the catalogue's rows of them are out of date.
Result<std::vector<VideoView>> read_unsettled(Catalog& rows, const std::vector<LiveVideo>& live,
                                              std::vector<std::int64_t>& ids) {
  std::vector<VideoView> views;
  for (const LiveVideo& video : live) {
    Result<VideoRow> row = rows.video(video.recording.video_id);
    if (row && is_settled(row.value())) {
      continue;
    }
    Result<VideoView> view = merged_view(rows, std::move(row), video);
    if (view) {
      ids.push_back(video.recording.video_id);
      views.push_back(std::move(view).value());
    } else if (view.error().code != Errc::kNotFound) {  // not found: it was deleted
      return std::move(view).error();
    }
  }
  std::sort(views.begin(), views.end(), [](const VideoView& a, const VideoView& b) {
    return std::pair(a.row.recording_started_at, a.row.id) >
           std::pair(b.row.recording_started_at, b.row.id);
  });
  return views;
}

Result<std::vector<VideoView>> read_list(Catalog& rows, const std::vector<LiveVideo>& live,
                                         const VideoListRequest& request) {
  catalog::VideoFilter filter = request.filter;
  Result<std::vector<VideoView>> unsettled = read_unsettled(rows, live, filter.except);
  if (!unsettled) {
    return unsettled;
  }
  std::vector<VideoView> first;
  std::copy_if(unsettled.value().begin(), unsettled.value().end(), std::back_inserter(first),
               [&](const VideoView& view) { return matches(view.row, request.filter); });
  const auto extra = static_cast<std::int64_t>(first.size());
  const std::int64_t begin = std::min(request.page.offset(), extra);
  const std::int64_t end = std::min(request.page.offset() + request.page.per_page, extra);
  std::vector<VideoView> page(first.begin() + begin, first.begin() + end);
  filter.offset = request.page.offset() - begin;
  filter.limit = request.page.per_page - (end - begin);
  Result<std::vector<VideoRow>> listed = rows.videos(filter);
  if (!listed) {
    return std::move(listed).error();
  }
  for (VideoRow& row : listed.value()) {
    page.push_back({std::move(row), true, {}});
  }
  RECORDING_TRY(add_renditions(rows, page));
  return page;
}

// A recording whose row is not written yet gets one, which the change or removal then finds.
template <class Do>
Result<VideoRow> with_row(Catalog& rows, const std::optional<LiveVideo>& live, const Do& change) {
  Result<VideoRow> row = change();
  if (row || row.error().code != Errc::kNotFound || !live) {
    return row;
  }
  RECORDING_TRY(rows.put_video(row_of(*live)));
  return change();
}

// Ends the recording that makes the video, if it goes on.
Status end_recording(Backend& backend, const std::optional<LiveVideo>& live) {
  if (!live || !live->current) {
    return ok();
  }
  Result<recorder::Control> control =
      recorder::stop_recording(backend.state(), backend.clock(), live->recording.stream);
  if (!control) {
    return control.error().code == Errc::kNotFound ? ok() : Status(std::move(control).error());
  }
  backend.wake(control.value().wake_pid);
  return ok();
}

void remove_files(Call call, const recorder::Deletion& deletion, const VideoRow& row) {
  Backend& backend = *call.backend;
  backend.remove_files(deletion, row, [call = std::move(call)](Status removed) {
    if (!removed) {
      return call.done(failure(std::move(removed).error().wrap(
          "files_not_removed: the video is deleted, but not its files")));
    }
    call.done(no_content());
  });
}

}  // namespace

void list_videos(Call call) {
  Result<VideoListRequest> request = parse_video_list(call.request.query);
  if (!request) {
    return call.done(failure(request.error()));
  }
  Backend& backend = *call.backend;
  Result<std::vector<LiveVideo>> live = live_videos(backend.state());
  if (!live) {
    return call.done(failure(live.error()));
  }
  const std::vector<std::string> fields = request.value().fields;
  backend.catalog().read([request = std::move(request).value(), live = std::move(live).value()](
                             Catalog& rows) { return read_list(rows, live, request); },
                         [call = std::move(call), fields](Result<std::vector<VideoView>> page) {
                           if (!page) {
                             return call.done(catalog_failure(page.error()));
                           }
                           Json list = Json::array();
                           for (const VideoView& view : page.value()) {
                             list.push_back(video_json(view, call.request.links, fields));
                           }
                           call.done(reply(200, list));
                         });
}

void get_video(Call call) {
  Result<std::vector<std::string>> fields = parse_fields(call.request.query);
  if (!fields) {
    return call.done(failure(fields.error()));
  }
  Backend& backend = *call.backend;
  const std::int64_t id = *call.target.id;
  Result<std::optional<LiveVideo>> live = find_live_video(backend.state(), id);
  if (!live) {
    return call.done(failure(live.error()));
  }
  backend.catalog().read(
      [id, live = std::move(live).value()](Catalog& rows) {
        return merged_view(rows, rows.video(id), live);
      },
      [call = std::move(call), fields = std::move(fields).value()](Result<VideoView> view) {
        call.done(view ? reply(200, video_json(view.value(), call.request.links, fields))
                       : catalog_failure(view.error()));
      });
}

void change_video(Call call) {
  Result<catalog::VideoPatch> patch = parse_video_change(call.request.body);
  if (!patch) {
    return call.done(failure(patch.error()));
  }
  Backend& backend = *call.backend;
  const std::int64_t id = *call.target.id;
  Result<std::optional<LiveVideo>> live = find_live_video(backend.state(), id);
  if (!live) {
    return call.done(failure(live.error()));
  }
  backend.catalog().write(
      [id, live = std::move(live).value(),
       patch = std::move(patch).value()](Catalog& rows) -> Result<VideoView> {
        return merged_view(rows, with_row(rows, live, [&] { return rows.change_video(id, patch); }),
                           live);
      },
      [call = std::move(call)](Result<VideoView> view) {
        call.done(view ? reply(200, video_json(view.value(), call.request.links, {}))
                       : catalog_failure(view.error()));
      });
}

void delete_video(Call call) {
  Backend& backend = *call.backend;
  const std::int64_t id = *call.target.id;
  Result<std::optional<LiveVideo>> live = find_live_video(backend.state(), id);
  if (!live) {
    return call.done(failure(live.error()));
  }
  if (Status ended = end_recording(backend, live.value()); !ended) {
    return call.done(failure(ended.error()));
  }
  const recorder::Deletion deletion = backend.deletion();
  backend.catalog().write(
      [id, live = std::move(live).value(), deletion](Catalog& rows) {
        return with_row(rows, live, [&] { return deletion.remove_row(rows, id); });
      },
      [call = std::move(call), deletion](Result<VideoRow> row) mutable {
        if (!row) {
          return call.done(catalog_failure(row.error()));
        }
        remove_files(std::move(call), deletion, row.value());
      });
}

}  // namespace recording::api
