#include "catalog/sqlite_videos.hpp"

#include <nlohmann/json.hpp>

#include "base/strings.hpp"
#include "catalog/sqlite_events.hpp"
#include "catalog/sqlite_jobs.hpp"
#include "catalog/video_name.hpp"
#include "catalog/wall_time.hpp"

namespace recording::catalog {

namespace {

constexpr const char* kColumns =
    " id, stream_id, slug, name, status, error, duration_ms, origin_size, width, height,"
    " record_type, path, recording_started_at, recording_ended_at, transaction_id, sequence,"
    " last_sequence, uniform, recording_times, client_user_id, client_entity_data, created_at,"
    " updated_at ";
// What end_job() writes: an upsert leaves it alone.
constexpr const char* kPictures = ", poster, screenshots, sprite ";
const char* const kNewestFirst = " ORDER BY recording_started_at DESC, id DESC ";

// [[started_at, duration_seconds], …]
std::string times_to_text(const std::vector<RecordingTime>& times) {
  nlohmann::json list = nlohmann::json::array();
  for (const RecordingTime& time : times) {
    list.push_back({time.started_at, time.duration_seconds});
  }
  return list.dump();
}

std::vector<RecordingTime> times_from_text(const std::string& text) {
  std::vector<RecordingTime> times;
  const nlohmann::json list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_array()) {
    return times;
  }
  for (const nlohmann::json& item : list) {
    if (item.is_array() && item.size() == 2 && item[0].is_number() && item[1].is_number()) {
      times.push_back({item[0].get<std::int64_t>(), item[1].get<double>()});
    }
  }
  return times;
}

VideoRow row_of(const SqliteStatement& from) {
  VideoRow row;
  row.id = from.get_integer(0);
  row.stream_id = from.get_integer(1);
  row.slug = from.get_bytes(2);
  row.name = from.get_bytes(3);
  row.status = from.get_bytes(4);
  row.error = from.get_bytes(5);
  row.duration_ms = from.get_integer(6);
  row.origin_size = from.get_integer(7);
  row.width = from.get_integer(8);
  row.height = from.get_integer(9);
  row.record_type = from.get_bytes(10);
  row.path = from.get_bytes(11);
  row.recording_started_at = from.get_integer(12);
  row.recording_ended_at = from.get_integer(13);
  row.transaction_id = from.get_bytes(14);
  row.sequence = from.get_integer(15);
  row.last_sequence = from.get_integer(16) != 0;
  row.uniform = from.get_integer(17) != 0;
  row.recording_times = times_from_text(from.get_bytes(18));
  row.client_user_id = from.get_optional(19);
  row.client_entity_data = from.get_bytes(20);
  row.created_at = from.get_integer(21);
  row.updated_at = from.get_integer(22);
  row.pictures = {from.get_integer(23) != 0, from.get_integer(24), from.get_integer(25) != 0};
  return row;
}

Result<VideoRow> one_row(SqliteStatement& statement) {
  Result<bool> found = statement.step();
  if (!found) {
    return std::move(found).error();
  }
  if (!found.value()) {
    return Error{Errc::kNotFound, "video_not_found: there is no such video"};
  }
  VideoRow row = row_of(statement);
  RECORDING_TRY(statement.finish());
  return row;
}

}  // namespace

// The inner query walks one index that holds all it needs and ends at the limit; only the rows of
// the page are then read from the table.
std::string list_sql(const VideoFilter& filter) {
  std::string where;
  const auto add = [&where](bool wanted, const char* condition) {
    if (wanted) {
      where += (where.empty() ? " WHERE " : " AND ") + std::string(condition);
    }
  };
  add(filter.stream_id.has_value(), "stream_id = ?");
  add(filter.client_user_id.has_value(), "client_user_id = ?");
  add(!filter.status.empty(), "status = ?");
  add(!filter.search.empty(), "has_text(name, ?)");
  add(!filter.ids.empty(), "id IN (SELECT value FROM json_each(?))");
  add(!filter.except.empty(), "id NOT IN (SELECT value FROM json_each(?))");
  return std::string("SELECT") + kColumns + kPictures +
         "FROM videos WHERE id IN (SELECT id FROM videos" + where + kNewestFirst +
         "LIMIT ? OFFSET ?)" + kNewestFirst;
}

Result<VideoRow> SqliteVideos::get(std::int64_t id) {
  static const std::string kSql =
      std::string("SELECT") + kColumns + kPictures + "FROM videos WHERE id = ?";
  SqliteStatement statement = database_.prepare(kSql);
  statement.integer(id);
  return one_row(statement);
}

Result<VideoRow> SqliteVideos::by_slug(const std::string& slug) {
  static const std::string kSql =
      std::string("SELECT") + kColumns + kPictures + "FROM videos WHERE slug = ?";
  SqliteStatement statement = database_.prepare(kSql);
  statement.text(slug);
  return one_row(statement);
}

Result<std::vector<VideoRow>> SqliteVideos::list(const VideoFilter& filter) {
  SqliteStatement statement = database_.prepare(list_sql(filter));
  if (filter.stream_id) {
    statement.integer(*filter.stream_id);
  }
  if (filter.client_user_id) {
    statement.integer(*filter.client_user_id);
  }
  if (!filter.status.empty()) {
    statement.text(filter.status);
  }
  if (!filter.search.empty()) {
    statement.text(filter.search);
  }
  if (!filter.ids.empty()) {
    statement.text(nlohmann::json(filter.ids).dump());
  }
  if (!filter.except.empty()) {
    statement.text(nlohmann::json(filter.except).dump());
  }
  statement.integer(filter.limit).integer(filter.offset);
  return statement.all(row_of);
}

Status SqliteVideos::put(const VideoRow& row) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  Result<bool> deleted = was_deleted(row.slug);
  if (!deleted) {
    return std::move(deleted).error();
  }
  if (deleted.value()) {
    RECORDING_TRY(remember_files(row));
    return transaction.commit();
  }
  Result<std::int64_t> id = id_for(row);
  if (!id) {
    return std::move(id).error();
  }
  Result<std::string> name = name_for(row);
  if (!name) {
    return std::move(name).error();
  }
  RECORDING_TRY(upsert(row, id.value(), name.value()));
  if (row.status == "viewable") {
    RECORDING_TRY(SqliteJobs(database_).add(row.slug));
  }
  return transaction.commit();
}

// Of a video that was deleted while it was moved to where it is now.
Status SqliteVideos::remember_files(const VideoRow& row) {
  if (row.path.empty()) {
    return ok();
  }
  SqliteStatement statement =
      database_.prepare("UPDATE deleted_videos SET path = ? WHERE slug = ?");
  statement.blob(row.path).text(row.slug);
  return statement.finish();
}

// The id the row has or shall have. The counter is kept ahead of every id in use, also of one that
// a catalogue before this one leased.
Result<std::int64_t> SqliteVideos::id_for(const VideoRow& row) {
  SqliteStatement existing = database_.prepare("SELECT id FROM videos WHERE slug = ?");
  existing.text(row.slug);
  Result<bool> exists = existing.step();
  if (!exists) {
    return std::move(exists).error();
  }
  if (exists.value()) {
    return existing.get_integer(0);
  }
  SqliteStatement taken = database_.prepare("SELECT 1 FROM videos WHERE id = ?");
  taken.integer(row.id);
  Result<bool> is_taken = taken.step();
  if (!is_taken) {
    return std::move(is_taken).error();
  }
  if (row.id <= 0 || is_taken.value()) {
    Result<IdRange> range = lease_ids(1);
    if (!range) {
      return std::move(range).error();
    }
    return range.value().first;
  }
  SqliteStatement bump =
      database_.prepare("UPDATE counters SET next = ? WHERE name = 'video_id' AND next < ?");
  bump.integer(row.id + 1).integer(row.id + 1);
  RECORDING_TRY(bump.finish());
  return row.id;
}

Result<std::string> SqliteVideos::name_for(const VideoRow& row) {
  if (!row.name.empty()) {
    return to_valid_utf8(row.name);
  }
  SqliteStatement stream = database_.prepare("SELECT name FROM streams WHERE id = ?");
  stream.integer(row.stream_id);
  Result<bool> found = stream.step();
  if (!found) {
    return std::move(found).error();
  }
  return default_video_name(
      found.value() ? stream.get_bytes(0) : "stream " + std::to_string(row.stream_id),
      row.recording_ended_at);
}

Status SqliteVideos::upsert(const VideoRow& row, std::int64_t id, const std::string& name) {
  static const std::string kSql =
      std::string("INSERT INTO videos (") + kColumns +
      ", changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
      " ON CONFLICT (slug) DO UPDATE SET stream_id = excluded.stream_id,"
      " name = CASE WHEN changed & 1 THEN name ELSE excluded.name END,"
      // Told again, it does not take back what processing has said since.
      " status = CASE WHEN status = 'ready' AND excluded.status = 'viewable' THEN status"
      " ELSE excluded.status END,"
      " error = CASE WHEN status IN ('ready', 'viewable') AND excluded.status = 'viewable' THEN "
      "error"
      " ELSE excluded.error END, duration_ms = excluded.duration_ms,"
      " origin_size = excluded.origin_size, width = excluded.width, height = excluded.height,"
      " record_type = excluded.record_type, path = excluded.path,"
      " recording_started_at = excluded.recording_started_at,"
      " recording_ended_at = excluded.recording_ended_at,"
      " transaction_id = excluded.transaction_id, sequence = excluded.sequence,"
      " last_sequence = excluded.last_sequence, uniform = excluded.uniform,"
      " recording_times = excluded.recording_times,"
      " client_user_id = CASE WHEN changed & 2 THEN client_user_id ELSE excluded.client_user_id"
      " END,"
      " client_entity_data = CASE WHEN changed & 4 THEN client_entity_data"
      " ELSE excluded.client_entity_data END,"
      " updated_at = excluded.updated_at"
      " WHERE excluded.status NOT IN ('empty', 'pending') OR status IN ('empty', 'pending')";
  SqliteStatement statement = database_.prepare(kSql);
  const std::int64_t now = wall_time_ms();
  statement.integer(id)
      .integer(row.stream_id)
      .text(row.slug)
      .text(name)
      .text(row.status)
      .text(row.error)
      .integer(row.duration_ms)
      .integer(row.origin_size)
      .integer(row.width)
      .integer(row.height)
      .text(row.record_type)
      .blob(row.path)
      .integer(row.recording_started_at)
      .integer(row.recording_ended_at)
      .text(row.transaction_id)
      .integer(row.sequence)
      .integer(row.last_sequence ? 1 : 0)
      .integer(row.uniform ? 1 : 0)
      .text(times_to_text(row.recording_times))
      .integer(row.client_user_id)
      .text(row.client_entity_data)
      .integer(row.created_at != 0 ? row.created_at : now)
      .integer(row.updated_at != 0 ? row.updated_at : now);
  return statement.finish();
}

Result<VideoRow> SqliteVideos::change(std::int64_t id, const VideoPatch& patch) {
  static const std::string kSql =
      std::string(
          "UPDATE videos SET"
          " name = CASE WHEN ? THEN ? ELSE name END,"
          " client_user_id = CASE WHEN ? THEN ? ELSE client_user_id END,"
          " client_entity_data = CASE WHEN ? THEN ? ELSE client_entity_data END,"
          " changed = changed | ?, updated_at = max(?, updated_at) WHERE id = ? RETURNING") +
      kColumns + kPictures;
  SqliteStatement statement = database_.prepare(kSql);
  const int changed =
      (patch.name ? 1 : 0) | (patch.client_user_id ? 2 : 0) | (patch.client_entity_data ? 4 : 0);
  statement.integer(patch.name ? 1 : 0)
      .text(to_valid_utf8(patch.name.value_or("")))
      .integer(patch.client_user_id ? 1 : 0)
      .integer(patch.client_user_id.value_or(std::nullopt))
      .integer(patch.client_entity_data ? 1 : 0)
      .text(patch.client_entity_data.value_or(""))
      .integer(changed)
      .integer(wall_time_ms())
      .integer(id);
  return one_row(statement);
}

Result<VideoRow> SqliteVideos::remove(std::int64_t id, const Tell& tell) {
  static const std::string kSql =
      std::string("DELETE FROM videos WHERE id = ? RETURNING") + kColumns + kPictures;
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement statement = database_.prepare(kSql);
  statement.integer(id);
  Result<VideoRow> row = one_row(statement);
  if (!row) {
    return row;
  }
  SqliteStatement remember =
      database_.prepare("INSERT OR IGNORE INTO deleted_videos VALUES (?, ?, ?)");
  remember.text(row.value().slug).integer(wall_time_ms()).blob(row.value().path);
  RECORDING_TRY(remember.finish());
  RECORDING_TRY(SqliteJobs(database_).forget(row.value().slug));
  RECORDING_TRY(SqliteEvents(database_).tell(tell, row.value()));
  RECORDING_TRY(transaction.commit());
  return row;
}

Result<bool> SqliteVideos::was_deleted(const std::string& slug) {
  SqliteStatement statement = database_.prepare("SELECT 1 FROM deleted_videos WHERE slug = ?");
  statement.text(slug);
  return statement.step();
}

Result<std::vector<VideoRow>> SqliteVideos::deleted_with_files(std::int64_t limit) {
  SqliteStatement statement = database_.prepare(
      "SELECT slug, path FROM deleted_videos WHERE path IS NOT NULL ORDER BY deleted_at LIMIT ?");
  statement.integer(limit);
  return statement.all([](const SqliteStatement& found) {
    VideoRow row;
    row.slug = found.get_bytes(0);
    row.path = found.get_bytes(1);
    return row;
  });
}

Status SqliteVideos::files_removed(const std::string& slug, const std::string& path) {
  SqliteStatement statement =
      database_.prepare("UPDATE deleted_videos SET path = NULL WHERE slug = ? AND path = ?");
  statement.text(slug).blob(path);
  return statement.finish();
}

Result<std::vector<std::int64_t>> SqliteVideos::ended_before(std::int64_t wall_ms,
                                                             std::int64_t limit) {
  // Its conditions are those of the index.
  SqliteStatement statement = database_.prepare(
      "SELECT id FROM videos WHERE status NOT IN ('empty', 'pending') AND recording_ended_at > 0"
      " AND recording_ended_at < ? ORDER BY recording_ended_at LIMIT ?");
  statement.integer(wall_ms).integer(limit);
  return statement.all([](const SqliteStatement& row) { return row.get_integer(0); });
}

Result<IdRange> SqliteVideos::lease_ids(std::int64_t count) {
  if (count < 1) {
    return Error{Errc::kInvalidArgument, "lease video ids: count must be at least 1"};
  }
  SqliteStatement statement = database_.prepare(
      "UPDATE counters SET next = next + ? WHERE name = 'video_id' RETURNING next");
  statement.integer(count);
  Result<bool> found = statement.step();
  if (!found) {
    return std::move(found).error();
  }
  if (!found.value()) {
    return Error{Errc::kCorrupt,
                 "catalogue " + database_.path() + ": the counter of video ids is missing"};
  }
  const std::int64_t end = statement.get_integer(0);
  RECORDING_TRY(statement.finish());
  return IdRange{end - count, end};
}

}  // namespace recording::catalog
