#include "recorder/session_history.hpp"

#include <utility>

#include "media/codec.hpp"

namespace recording::recorder {
namespace {

std::string name_of(std::uint8_t codec) {
  return codec == 0 ? "" : std::string(media::codec_name(static_cast<media::Codec>(codec)));
}

}  // namespace

catalog::SessionRow session_row(const runtime::StreamRecord& stream) {
  const runtime::SessionInfo& session = stream.session;
  const runtime::FrozenRecord& frozen = stream.playback.frozen;
  catalog::SessionRow row;
  row.stream_id = stream.stream_id;
  row.id = session.id;
  row.started_at = session.started_wall_ms;
  row.bytes = stream.bytes_in.get();
  row.transcoder_restarts = stream.playback.restarts;
  if (frozen.facts.video_codec != 0 || frozen.facts.audio_codec != 0) {
    row.video_codec = name_of(frozen.facts.video_codec);
    row.width = frozen.facts.width;
    row.height = frozen.facts.height;
    row.frame_rate_milli =
        frozen.rate_den != 0 ? std::int64_t{frozen.rate_num} * 1000 / frozen.rate_den : 0;
    row.audio_codec = name_of(frozen.facts.audio_codec);
    row.sample_rate = frozen.facts.sample_rate;
    row.channels = frozen.facts.channels;
    return row;
  }
  row.video_codec = name_of(session.video_codec);
  row.width = session.width;
  row.height = session.height;
  row.frame_rate_milli = session.frame_rate_milli;
  row.audio_codec = name_of(session.audio_codec);
  row.sample_rate = session.sample_rate;
  row.channels = session.channels;
  return row;
}

void keep_ended(catalog::CatalogService& catalog, const std::string& app, const std::string& name,
                catalog::SessionRow row) {
  catalog.write(
      [app, name, row = std::move(row)](catalog::Catalog& rows) mutable -> Status {
        if (row.stream_id == 0) {
          Result<catalog::StreamRow> stream = rows.stream(app, name);
          if (!stream) {
            return std::move(stream).error();
          }
          row.stream_id = stream.value().id;
        }
        return rows.end_session(row);
      },
      [](Status) {});
}

}  // namespace recording::recorder
