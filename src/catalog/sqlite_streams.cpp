#include "catalog/sqlite_streams.hpp"

#include "catalog/wall_time.hpp"

namespace recording::catalog {

namespace {

const char* const kColumns =
    " id, app, name, auto_record, record_type, client_user_id, client_entity_data, created_at,"
    " started_at, finished_at ";

StreamRow row_of(const SqliteStatement& from) {
  StreamRow row;
  row.id = from.get_integer(0);
  row.app = from.get_bytes(1);
  row.name = from.get_bytes(2);
  if (const auto value = from.get_optional(3)) {
    row.auto_record = *value != 0;
  }
  row.record_type = from.get_bytes(4);
  row.client_user_id = from.get_optional(5);
  row.client_entity_data = from.get_bytes(6);
  row.created_at = from.get_integer(7);
  row.started_at = from.get_integer(8);
  row.finished_at = from.get_integer(9);
  return row;
}

// The one row that the statement gives, after it ran to its end.
Result<StreamRow> one_row(SqliteStatement& statement) {
  Result<bool> found = statement.step();
  if (!found) {
    return std::move(found).error();
  }
  if (!found.value()) {
    return no_such_stream();
  }
  StreamRow row = row_of(statement);
  RECORDING_TRY(statement.finish());
  return row;
}

std::optional<std::int64_t> as_integer(const std::optional<bool>& value) {
  return value ? std::optional<std::int64_t>(*value ? 1 : 0) : std::nullopt;
}

}  // namespace

Error no_such_stream() { return {Errc::kNotFound, "stream_not_found: there is no such stream"}; }

Result<StreamRow> SqliteStreams::get(std::int64_t id) {
  static const std::string kSql = std::string("SELECT") + kColumns + "FROM streams WHERE id = ?";
  SqliteStatement statement = database_.prepare(kSql);
  statement.integer(id);
  return one_row(statement);
}

Result<StreamRow> SqliteStreams::get(const std::string& app, const std::string& name) {
  static const std::string kSql =
      std::string("SELECT") + kColumns + "FROM streams WHERE app = ? AND name = ?";
  SqliteStatement statement = database_.prepare(kSql);
  statement.blob(app).blob(name);
  return one_row(statement);
}

Result<StreamRow> SqliteStreams::ensure(const std::string& app, const std::string& name) {
  // Twice: another process may add, or delete, the row in between.
  for (int attempt = 0; attempt < 2; ++attempt) {
    Result<StreamRow> found = get(app, name);
    if (found || found.error().code != Errc::kNotFound) {
      return found;
    }
    StreamRow row;
    row.app = app;
    row.name = name;
    Result<StreamRow> added = add(row);
    if (added || added.error().code != Errc::kConflict) {
      return added;
    }
  }
  return get(app, name);
}

Result<StreamRow> SqliteStreams::add(const StreamRow& row) {
  static const std::string kSql =
      std::string(
          "INSERT INTO streams (app, name, auto_record, record_type, client_user_id,"
          " client_entity_data, created_at, started_at, finished_at)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING") +
      kColumns;
  SqliteStatement statement = database_.prepare(kSql);
  statement.blob(row.app)
      .blob(row.name)
      .integer(as_integer(row.auto_record))
      .text(row.record_type)
      .integer(row.client_user_id)
      .text(row.client_entity_data)
      .integer(row.created_at != 0 ? row.created_at : wall_time_ms())
      .integer(row.started_at)
      .integer(row.finished_at);
  Result<StreamRow> added = one_row(statement);
  if (!added && added.error().code == Errc::kConflict) {
    added.error().message = "stream_exists: there is a stream of this app and name already";
  }
  return added;
}

Result<std::vector<StreamRow>> SqliteStreams::list(std::int64_t offset, std::int64_t limit) {
  static const std::string kSql =
      std::string("SELECT") + kColumns + "FROM streams ORDER BY id DESC LIMIT ? OFFSET ?";
  SqliteStatement statement = database_.prepare(kSql);
  statement.integer(limit).integer(offset);
  return statement.all(row_of);
}

Result<StreamRow> SqliteStreams::change(std::int64_t id, const StreamPatch& patch) {
  static const std::string kSql =
      std::string(
          "UPDATE streams SET"
          " auto_record = CASE WHEN ? THEN ? ELSE auto_record END,"
          " record_type = CASE WHEN ? THEN ? ELSE record_type END,"
          " client_user_id = CASE WHEN ? THEN ? ELSE client_user_id END,"
          " client_entity_data = CASE WHEN ? THEN ? ELSE client_entity_data END"
          " WHERE id = ? RETURNING") +
      kColumns;
  SqliteStatement statement = database_.prepare(kSql);
  statement.integer(patch.auto_record ? 1 : 0)
      .integer(as_integer(patch.auto_record.value_or(std::nullopt)))
      .integer(patch.record_type ? 1 : 0)
      .text(patch.record_type.value_or(""))
      .integer(patch.client_user_id ? 1 : 0)
      .integer(patch.client_user_id.value_or(std::nullopt))
      .integer(patch.client_entity_data ? 1 : 0)
      .text(patch.client_entity_data.value_or(""))
      .integer(id);
  return one_row(statement);
}

Status SqliteStreams::remove(std::int64_t id) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  SqliteStatement statement = database_.prepare("DELETE FROM streams WHERE id = ?");
  statement.integer(id);
  RECORDING_TRY(statement.finish());
  if (database_.changes() == 0) {
    return no_such_stream();
  }
  SqliteStatement history = database_.prepare("DELETE FROM sessions WHERE stream_id = ?");
  history.integer(id);
  RECORDING_TRY(history.finish());
  return transaction.commit();
}

}  // namespace recording::catalog
