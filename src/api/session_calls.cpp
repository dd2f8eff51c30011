#include <utility>
#include <vector>

#include "api/calls.hpp"
#include "api/json.hpp"
#include "api/live_view.hpp"
#include "api/replies.hpp"
#include "api/request_fields.hpp"
#include "api/stream_json.hpp"
#include "recorder/session_history.hpp"

namespace recording::api {
namespace {

using catalog::SessionRow;

Json session_json(const SessionRow& row, bool live) {
  return {{"id", session_name(row.id)},
          {"live", live},
          {"started_at", time_or_null(row.started_at)},
          {"ended_at", time_or_null(row.ended_at)},
          {"end_reason", text_or_null(row.end_reason)},
          {"video_codec", text_or_null(row.video_codec)},
          {"width", positive_or_null(row.width)},
          {"height", positive_or_null(row.height)},
          {"frame_rate", row.frame_rate_milli > 0
                             ? Json(static_cast<double>(row.frame_rate_milli) / 1000)
                             : Json(nullptr)},
          {"audio_codec", text_or_null(row.audio_codec)},
          {"sample_rate", positive_or_null(row.sample_rate)},
          {"channels", positive_or_null(row.channels)},
          {"bytes", row.bytes},
          {"transcoder_restarts", row.transcoder_restarts}};
}

// The catalogue has of a session that goes on only when it began.
Response page_of(const std::vector<SessionRow>& rows, const std::optional<LiveStream>& live) {
  const SessionRow now = live && live->live() ? recorder::session_row(live->stream) : SessionRow();
  Json list = Json::array();
  for (const SessionRow& row : rows) {
    const bool is_live =
        row.end_reason.empty() && row.id == now.id && row.started_at == now.started_at;
    list.push_back(session_json(is_live ? now : row, is_live));
  }
  return reply(200, list);
}

}  // namespace

void list_sessions(Call call) {
  Result<PageRequest> page = parse_page(call.request.query);
  if (!page) {
    return call.done(failure(page.error()));
  }
  // Before the rows: a session that ends meanwhile has its end in them.
  Result<std::optional<LiveStream>> live = find_live_stream(call.backend->state(), call.target);
  if (!live) {
    return call.done(failure(live.error()));
  }
  Backend& backend = *call.backend;
  const Target target = call.target;
  backend.catalog().read(
      [target, page = page.value()](catalog::Catalog& rows) -> Result<std::vector<SessionRow>> {
        Result<catalog::StreamRow> stream =
            target.id ? rows.stream(*target.id) : rows.stream(target.app, target.name);
        if (!stream) {
          return std::move(stream).error();
        }
        return rows.sessions(stream.value().id, page.offset(), page.per_page);
      },
      [call = std::move(call),
       live = std::move(live).value()](Result<std::vector<SessionRow>> rows) {
        call.done(rows ? page_of(rows.value(), live) : catalog_failure(rows.error()));
      });
}

}  // namespace recording::api
