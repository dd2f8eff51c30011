#include "api/stream_json.hpp"

#include "api/playback_json.hpp"
#include "base/url.hpp"
#include "base/bytes.hpp"
#include "base/strings.hpp"

namespace recording::api {

namespace {

using runtime::RecordingState;

bool is_recording(const StreamView& view) {
  if (!view.live || !view.live->recording) {
    return false;
  }
  const RecordingState state = view.live->recording->state;
  return state == RecordingState::kRequested || state == RecordingState::kActive ||
         state == RecordingState::kInterrupted;
}

// What applies now: the stream's own setting, else the application's.
bool effective_auto_record(const StreamView& view) {
  if (view.row && view.row->auto_record) {
    return *view.row->auto_record;
  }
  if (view.live && !view.row && view.live->stream.auto_record != runtime::Setting::kInherit) {
    return view.live->stream.auto_record == runtime::Setting::kOn;
  }
  if (view.application_auto_record) {
    return *view.application_auto_record;
  }
  return view.live && view.live->stream.rules.auto_record != 0;
}

Json session_json(const StreamView& view) {
  if (!view.live || !view.live->live()) {
    return nullptr;
  }
  const runtime::StreamRecord& stream = view.live->stream;
  return {{"id", session_name(stream.session.id)},
          {"started_at", time_or_null(stream.session.started_wall_ms)},
          {"frozen", frozen_json(stream)},
          {"measured", measured_json(stream)},
          {"drift", drift_json(stream)},
          {"transcoder", transcoder_json(stream)}};
}

void add_playback(Json& json, const StreamView& view, const std::string& path,
                  const exporter::Links& links) {
  const runtime::StreamRecord stream =
      view.live && view.live->live() ? view.live->stream : runtime::StreamRecord();
  const auto link_if = [&](bool there, const char* file) {
    return there ? text_or_null(links.to("live/" + path + file)) : Json(nullptr);
  };
  json["hls_url"] = link_if(can_be_played(stream), "/master.m3u8");
  json["dash_url"] = link_if(can_be_played(stream), "/manifest.mpd");
  json["iframe_url"] = link_if(stream.playback.state != runtime::TranscoderState::kOff, "");
  json["transcoded_qualities"] = transcoded_qualities(stream);
  json["transcoding_speed"] = transcoding_speed(stream);
}

void add_live_fields(Json& json, const StreamView& view, const StreamLinks& links) {
  const bool recording = is_recording(view);
  const std::string app(view.row ? view.row->app : std::string(view.live->stream.app.view()));
  const std::string name(view.row ? view.row->name : std::string(view.live->stream.name.view()));
  json["recording"] = recording;
  json["recording_duration"] =
      recording ? static_cast<double>(view.live->recording->duration_ms.get()) / 1000.0 : 0.0;
  const std::string path = percent_encode(app) + "/" + percent_encode(name);
  json["push_url"] = links.rtmp_url.empty() ? Json(nullptr) : Json(links.rtmp_url + path);
  add_playback(json, view, path, links.links);
  const runtime::SessionInfo session =
      view.live && view.live->live() ? view.live->stream.session : runtime::SessionInfo();
  json["frame_rate"] =
      session.frame_rate_milli != 0 ? Json(session.frame_rate_milli / 1000.0) : Json(nullptr);
  json["video_width"] = positive_or_null(session.width);
  json["video_height"] = positive_or_null(session.height);
}

}  // namespace

std::string session_name(std::uint64_t id) {
  Bytes bytes;
  put_u64(bytes, id);
  return to_hex(bytes);
}

Json stream_json(const StreamView& view, const StreamLinks& links) {
  const catalog::StreamRow row = view.row.value_or(catalog::StreamRow());
  const bool live = view.live && view.live->live();
  const std::int64_t live_id = view.live ? view.live->stream.stream_id : 0;
  Json json;
  json["id"] = positive_or_null(view.row ? row.id : live_id);
  json["app"] = view.row ? row.app : std::string(view.live->stream.app.view());
  json["name"] = view.row ? row.name : std::string(view.live->stream.name.view());
  json["live"] = live;
  json["active"] = true;  // in the original API a switch, which this module does not have
  json["auto_record"] = effective_auto_record(view);
  json["record_type"] = row.record_type;
  add_live_fields(json, view, links);
  json["created_at"] = time_or_null(row.created_at);
  json["started_at_primary"] =
      time_or_null(live ? view.live->stream.session.started_wall_ms : row.started_at);
  json["finished_at_primary"] = time_or_null(row.finished_at);
  json["client_user_id"] = row.client_user_id ? Json(*row.client_user_id) : Json(nullptr);
  json["client_entity_data"] = text_or_null(row.client_entity_data);
  json["session"] = session_json(view);
  return json;
}

Json recording_json(const runtime::RecordingRecord& recording) {
  const char* state = "ending";
  if (recording.state == RecordingState::kRequested) {
    state = "requested";
  } else if (recording.state == RecordingState::kActive) {
    state = "active";
  } else if (recording.state == RecordingState::kInterrupted) {
    state = "interrupted";
  }
  return {{"video_id", positive_or_null(recording.video_id)},
          {"slug", std::string(recording.slug.view())},
          {"state", state},
          {"automatic", recording.automatic != 0},
          {"started_at", time_or_null(recording.started_wall_ms)},
          {"duration_seconds", static_cast<double>(recording.duration_ms.get()) / 1000.0},
          {"transaction_id", std::string(recording.transaction_id.view())},
          {"sequence", recording.sequence}};
}

}  // namespace recording::api
