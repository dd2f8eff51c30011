// Who a recording is: from the live state to the file's identity and the catalogue's row.
#include "recorder/recording.hpp"
#include "recorder/stream_settings.hpp"

namespace recording::recorder {

using runtime::RecordingRecord;

std::string recording_lock_path(const std::string& runtime_directory, const std::string& slug) {
  return runtime_directory + "/r." + slug + ".lock";
}

mp4::Identity identity_of(const RecordingRecord& record, const runtime::StreamRecord& stream) {
  mp4::Identity identity;
  identity.slug = record.slug.view();
  identity.app = stream.app.view();
  identity.stream = stream.name.view();
  identity.video_id = record.video_id;
  identity.stream_id = record.stream_id;
  identity.started_wall_ms = record.started_wall_ms;
  identity.transaction_id = record.transaction_id.view();
  identity.sequence = record.sequence;
  identity.record_type = record_type_name(record.recorded);
  identity.automatic = record.automatic != 0;
  identity.reconnect_window_ms = record.rules.reconnect_window_ms;
  identity.min_duration_ms = record.rules.min_duration_ms;
  identity.max_duration_ms = record.rules.max_duration_ms;
  return identity;
}

bool has_later_part(const runtime::LiveState::Transaction& live, const RecordingRecord& record) {
  bool found = record.end_reason.view() == "divided" || record.end_reason.view() == "codec_changed";
  live.for_each_recording([&](std::int32_t, const RecordingRecord& other) {
    found = found || (other.transaction_id.view() == record.transaction_id.view() &&
                      other.sequence > record.sequence);
  });
  return found;
}

catalog::VideoRow row_of(const mp4::Identity& identity) {
  catalog::VideoRow row;
  row.id = identity.video_id;
  row.stream_id = identity.stream_id;
  row.slug = identity.slug;
  row.record_type = identity.record_type;
  row.recording_started_at = identity.started_wall_ms;
  row.transaction_id = identity.transaction_id;
  row.sequence = identity.sequence;
  row.status = "pending";
  return row;
}

}  // namespace recording::recorder
