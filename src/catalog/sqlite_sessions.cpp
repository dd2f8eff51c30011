#include "catalog/sqlite_sessions.hpp"

#include "catalog/sqlite_streams.hpp"

namespace recording::catalog {

namespace {

// Kept of each stream.
constexpr std::int64_t kNewest = 100;

SessionRow row_of(const SqliteStatement& from) {
  SessionRow row;
  row.stream_id = from.get_integer(0);
  row.id = static_cast<std::uint64_t>(from.get_integer(1));
  row.started_at = from.get_integer(2);
  row.ended_at = from.get_integer(3);
  row.end_reason = from.get_bytes(4);
  row.video_codec = from.get_bytes(5);
  row.width = from.get_integer(6);
  row.height = from.get_integer(7);
  row.frame_rate_milli = from.get_integer(8);
  row.audio_codec = from.get_bytes(9);
  row.sample_rate = from.get_integer(10);
  row.channels = from.get_integer(11);
  row.bytes = from.get_integer(12);
  row.transcoder_restarts = from.get_integer(13);
  return row;
}

}  // namespace

Status SqliteSessions::begin(const SessionStart& start) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement stream = database_.prepare("UPDATE streams SET started_at = ? WHERE id = ?");
  stream.integer(start.started_at).integer(start.stream_id);
  RECORDING_TRY(stream.finish());
  if (database_.changes() == 0) {
    return no_such_stream();
  }
  // Whoever had one without an end can tell no more; or it is on its way, and comes after this.
  SqliteStatement over = database_.prepare(
      "UPDATE sessions SET end_reason = 'worker_ended' WHERE stream_id = ? AND end_reason = ''");
  over.integer(start.stream_id);
  RECORDING_TRY(over.finish());
  SqliteStatement add = database_.prepare(
      "INSERT INTO sessions (stream_id, session, started_at) VALUES (?, ?, ?)"
      " ON CONFLICT (stream_id, session, started_at) DO NOTHING");
  add.integer(start.stream_id)
      .integer(static_cast<std::int64_t>(start.id))
      .integer(start.started_at);
  RECORDING_TRY(add.finish());
  SqliteStatement prune = database_.prepare(
      "DELETE FROM sessions WHERE stream_id = ?1 AND number <= (SELECT number FROM sessions"
      " WHERE stream_id = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)");
  prune.integer(start.stream_id).integer(kNewest);
  RECORDING_TRY(prune.finish());
  return transaction.commit();
}

Status SqliteSessions::end(const SessionRow& row) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement stream = database_.prepare("UPDATE streams SET finished_at = ? WHERE id = ?");
  stream.integer(row.ended_at).integer(row.stream_id);
  RECORDING_TRY(stream.finish());
  if (database_.changes() == 0) {
    return no_such_stream();
  }
  if (row.id == 0) {
    SqliteStatement last = database_.prepare(
        "UPDATE sessions SET ended_at = ?1, end_reason = ?2"
        " WHERE stream_id = ?3 AND end_reason = '' AND started_at <= ?1");
    last.integer(row.ended_at).text(row.end_reason).integer(row.stream_id);
    RECORDING_TRY(last.finish());
    return transaction.commit();
  }
  SqliteStatement put = database_.prepare(
      "INSERT INTO sessions (stream_id, session, started_at, ended_at, end_reason, video_codec,"
      " width, height, frame_rate_milli, audio_codec, sample_rate, channels, bytes,"
      " transcoder_restarts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (stream_id, session, started_at) DO UPDATE SET ended_at = excluded.ended_at,"
      " end_reason = excluded.end_reason, video_codec = excluded.video_codec,"
      " width = excluded.width, height = excluded.height,"
      " frame_rate_milli = excluded.frame_rate_milli, audio_codec = excluded.audio_codec,"
      " sample_rate = excluded.sample_rate, channels = excluded.channels, bytes = excluded.bytes,"
      " transcoder_restarts = excluded.transcoder_restarts"
      " WHERE end_reason IN ('', 'worker_ended')");
  put.integer(row.stream_id)
      .integer(static_cast<std::int64_t>(row.id))
      .integer(row.started_at)
      .integer(row.ended_at)
      .text(row.end_reason)
      .text(row.video_codec)
      .integer(row.width)
      .integer(row.height)
      .integer(row.frame_rate_milli)
      .text(row.audio_codec)
      .integer(row.sample_rate)
      .integer(row.channels)
      .integer(row.bytes)
      .integer(row.transcoder_restarts);
  RECORDING_TRY(put.finish());
  return transaction.commit();
}

Result<std::vector<SessionRow>> SqliteSessions::list(std::int64_t stream_id, std::int64_t offset,
                                                     std::int64_t limit) {
  SqliteStatement statement = database_.prepare(
      "SELECT stream_id, session, started_at, ended_at, end_reason, video_codec, width, height,"
      " frame_rate_milli, audio_codec, sample_rate, channels, bytes, transcoder_restarts"
      " FROM sessions WHERE stream_id = ? ORDER BY number DESC LIMIT ? OFFSET ?");
  statement.integer(stream_id).integer(limit).integer(offset);
  return statement.all(row_of);
}

}  // namespace recording::catalog
