#include "api/video_json.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "catalog/video_name.hpp"
#include "recorder/stream_settings.hpp"

namespace recording::api {

namespace {

using catalog::VideoRow;
using runtime::RecordingState;

// The word of "too_short: it has 3 s, …".
std::string error_word(std::string_view error) {
  return std::string(error.substr(0, error.find(':')));
}

std::string status_of(const runtime::RecordingRecord& recording) {
  // Viewable when the row is there, with all that only it tells.
  return recording.state == RecordingState::kSettled && !recording.error.view().empty() ? "error"
                                                                                        : "pending";
}

// HTML that shows `page` in a page of anybody's; empty without one.
std::string embed_code(const std::string& page) {
  if (page.empty()) {
    return {};
  }
  std::string attribute;
  for (const char c : page) {  // its host is what a client said
    const bool special = std::string_view("&<>\"'").find(c) != std::string_view::npos;
    attribute += special ? "&#" + std::to_string(int{c}) + ";" : std::string(1, c);
  }
  return "<iframe src=\"" + attribute +
         "\" width=\"640\" height=\"360\" title=\"Video\" style=\"border:0\" "
         "allow=\"autoplay; fullscreen; picture-in-picture\" allowfullscreen></iframe>";
}

// Only links that work: what later processing makes is null until it is there.
void add_links(Json& json, const VideoRow& row, const exporter::Links& links) {
  const bool downloadable = row.origin_size > 0 && row.status != "error";
  json["origin_url"] =
      downloadable ? text_or_null(links.to(row.slug + "/source.mp4")) : Json(nullptr);
  const std::string page = downloadable ? links.to(row.slug) : std::string();
  json["iframe_url"] = text_or_null(page);
  json["iframe_embed_code"] = text_or_null(embed_code(page));
  json["hls_url"] =
      downloadable ? text_or_null(links.to(row.slug + "/master.m3u8")) : Json(nullptr);
  const auto picture = [&](bool there, const std::string& name) {
    return there ? text_or_null(links.to_picture(row.slug + "/" + name)) : Json(nullptr);
  };
  json["screenshot"] = picture(row.pictures.poster, "poster.jpg");
  json["screenshots"] = Json::array();
  for (std::int64_t i = 1; i <= row.pictures.screenshots; ++i) {
    if (Json one = picture(true, "screenshot-" + std::to_string(i) + ".jpg"); !one.is_null()) {
      json["screenshots"].push_back(std::move(one));
    }
  }
  json["sprite"] = picture(row.pictures.sprite, "sprite.jpg");
  json["sprite_vtt"] =
      row.pictures.sprite ? text_or_null(links.to(row.slug + "/sprite.vtt")) : Json(nullptr);
}

Json renditions_json(const VideoView& view, const exporter::Links& links) {
  Json list = Json::array();
  for (const catalog::RenditionRow& one : view.renditions) {
    const bool complete = one.status == "complete";
    list.push_back(
        {{"id", one.id},
         {"name", one.name},
         {"width", positive_or_null(one.width)},
         {"height", positive_or_null(one.height)},
         {"size", complete ? Json(one.size) : Json(nullptr)},
         {"progress", one.progress},
         {"status", one.status},
         {"error", text_or_null(one.error)},
         {"mp4_url",
          complete ? text_or_null(links.to(one.slug + "/" + one.name + ".mp4")) : Json(nullptr)}});
  }
  return list;
}

Json times_json(const std::vector<catalog::RecordingTime>& times) {
  Json list = Json::array();
  for (const catalog::RecordingTime& time : times) {
    list.push_back({{"started_at", time_or_null(time.started_at)},
                    {"duration_seconds", time.duration_seconds}});
  }
  return list;
}

Json whole_json(const VideoView& view, const exporter::Links& links) {
  const VideoRow& row = view.row;
  Json json;
  json["id"] = row.id;
  json["slug"] = row.slug;
  json["name"] = row.name;
  json["status"] = row.status;
  json["error"] = text_or_null(row.error);
  json["duration"] = row.duration_ms;
  json["origin_video_duration"] = row.duration_ms;
  json["origin_size"] = row.origin_size;
  json["origin_width"] = positive_or_null(row.width);
  json["origin_height"] = positive_or_null(row.height);
  json["stream_id"] = positive_or_null(row.stream_id);
  json["recording_started_at"] = time_or_null(row.recording_started_at);
  json["record_type"] = row.record_type;
  add_links(json, row, links);
  json["converted_videos"] = renditions_json(view, links);
  json["transaction_id"] = text_or_null(row.transaction_id);
  json["sequence"] = row.sequence;
  json["last_sequence"] = row.last_sequence;
  json["recording_times"] = times_json(row.recording_times);
  json["uniform"] = view.has_row && is_settled(row) ? Json(row.uniform) : Json(nullptr);
  json["created_at"] = time_or_null(row.created_at);
  json["updated_at"] = time_or_null(row.updated_at);
  json["client_user_id"] = row.client_user_id ? Json(*row.client_user_id) : Json(nullptr);
  json["client_entity_data"] = text_or_null(row.client_entity_data);
  return json;
}

}  // namespace

VideoRow row_of(const LiveVideo& video) {
  const runtime::RecordingRecord& recording = video.recording;
  VideoRow row;
  row.id = recording.video_id;
  row.stream_id = recording.stream_id;
  row.slug = std::string(recording.slug.view());
  row.status = status_of(recording);
  row.error = error_word(recording.error.view());
  row.duration_ms = recording.duration_ms.get();
  row.origin_size = recording.committed_bytes.get();
  row.width = video.width;
  row.height = video.height;
  row.record_type = recorder::record_type_name(recording.recorded);
  row.recording_started_at = recording.started_wall_ms;
  row.recording_ended_at = recording.ended_wall_ms;
  row.transaction_id = std::string(recording.transaction_id.view());
  row.sequence = recording.sequence;
  row.created_at = recording.started_wall_ms;
  row.updated_at = recording.started_wall_ms;
  return row;
}

VideoView view_of(const LiveVideo& video) {
  VideoView view{row_of(video), false, {}};
  view.row.name = catalog::default_video_name(video.stream_name, view.row.recording_ended_at);
  return view;
}

VideoView view_of(const LiveVideo& video, VideoRow row) {
  const VideoRow now = row_of(video);
  row.status = now.status;
  row.error = now.error;
  row.duration_ms = now.duration_ms;
  row.origin_size = now.origin_size;
  row.width = now.width != 0 ? now.width : row.width;
  row.height = now.height != 0 ? now.height : row.height;
  return {std::move(row), true, {}};
}

Result<VideoView> merged_view(catalog::Catalog& rows, Result<VideoRow> row,
                              const std::optional<LiveVideo>& live) {
  if (row) {
    if (live && !is_settled(row.value())) {
      return view_of(*live, std::move(row).value());
    }
    std::vector<VideoView> one{{std::move(row).value(), true, {}}};
    RECORDING_TRY(add_renditions(rows, one));
    return std::move(one.front());
  }
  if (row.error().code != Errc::kNotFound || !live) {
    return std::move(row).error();
  }
  Result<bool> deleted = rows.was_deleted(std::string(live->recording.slug.view()));
  if (!deleted) {
    return std::move(deleted).error();
  }
  return deleted.value()
             ? Result<VideoView>(Error{Errc::kNotFound, "video_not_found: there is no such video"})
             : Result<VideoView>(view_of(*live));
}

Status add_renditions(catalog::Catalog& rows, std::vector<VideoView>& views) {
  std::vector<std::string> slugs;
  for (const VideoView& view : views) {
    slugs.push_back(view.row.slug);
  }
  Result<std::vector<catalog::RenditionRow>> renditions = rows.renditions(slugs);
  if (!renditions) {
    return std::move(renditions).error();
  }
  for (VideoView& view : views) {
    std::copy_if(renditions.value().begin(), renditions.value().end(),
                 std::back_inserter(view.renditions),
                 [&](const catalog::RenditionRow& one) { return one.slug == view.row.slug; });
  }
  return ok();
}

bool is_settled(const VideoRow& row) { return row.status != "pending" && row.status != "empty"; }

Json video_json(const VideoView& view, const exporter::Links& links,
                const std::vector<std::string>& fields) {
  Json whole = whole_json(view, links);
  if (fields.empty()) {
    return whole;
  }
  Json chosen = Json::object();
  for (auto& [name, value] : whole.items()) {
    if (std::find(fields.begin(), fields.end(), name) != fields.end()) {
      chosen[name] = std::move(value);
    }
  }
  return chosen;
}

}  // namespace recording::api
