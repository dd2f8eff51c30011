#include "catalog/sqlite_migrations.hpp"

#include <array>
#include <chrono>
#include <thread>

namespace recording::catalog {

namespace {

// "RECD", shown by file(1) and `PRAGMA application_id`.
constexpr std::int64_t kApplicationId = 0x52454344;

// kSteps[n] leads from version n to n + 1. A released step is never edited; a change is a new step.
//
// Version 1. Names of streams are BLOB: encoders send any bytes. `changed` of a video says which
// fields a user has set: 1 name, 2 client_user_id, 4 client_entity_data. The indexes hold the name
// at their end so that a search reads nothing but the index, already in the order wanted.
constexpr std::array kSteps = {
    R"sql(
CREATE TABLE streams (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app BLOB NOT NULL,
  name BLOB NOT NULL,
  auto_record INTEGER,
  record_type TEXT NOT NULL,
  client_user_id INTEGER,
  client_entity_data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  UNIQUE (app, name)
) STRICT;
CREATE TABLE videos (
  id INTEGER PRIMARY KEY,
  stream_id INTEGER NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  error TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  origin_size INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  record_type TEXT NOT NULL,
  path BLOB NOT NULL,
  recording_started_at INTEGER NOT NULL,
  recording_ended_at INTEGER NOT NULL,
  transaction_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  uniform INTEGER NOT NULL,
  recording_times TEXT NOT NULL,
  client_user_id INTEGER,
  client_entity_data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  changed INTEGER NOT NULL
) STRICT;
CREATE INDEX videos_newest ON videos (recording_started_at DESC, id DESC, name);
CREATE INDEX videos_of_stream
  ON videos (stream_id, recording_started_at DESC, id DESC, status, name);
CREATE INDEX videos_by_status ON videos (status, recording_started_at DESC, id DESC, name);
CREATE TABLE deleted_videos (
  slug TEXT PRIMARY KEY,
  deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('video_id', 1);
)sql",
    // `path` as in videos, until the files are removed; NULL: there are none.
    R"sql(
ALTER TABLE deleted_videos ADD COLUMN path BLOB;
CREATE INDEX deleted_videos_with_files ON deleted_videos (deleted_at) WHERE path IS NOT NULL;
CREATE INDEX videos_by_end ON videos (recording_ended_at)
  WHERE status NOT IN ('empty', 'pending') AND recording_ended_at > 0;
)sql",
    // The outbox. `next_at`: when it is tried (again); the key has the order within a stream.
    R"sql(
CREATE TABLE events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (created_at);
CREATE TABLE deliveries (
  webhook TEXT NOT NULL,
  stream TEXT NOT NULL,
  event INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  PRIMARY KEY (webhook, stream, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_of_event ON deliveries (event);
INSERT INTO counters VALUES
  ('delivered', 0), ('deliveries_not_taken', 0), ('deliveries_given_up', 0);
CREATE INDEX videos_of_client
  ON videos (client_user_id, recording_started_at DESC, id DESC, status, name)
  WHERE client_user_id IS NOT NULL;
)sql",
    // One job a video, kept until that is deleted. `state`: waiting (until due_at), running (leased
    // until due_at), done, failed.
    R"sql(
ALTER TABLE videos ADD COLUMN poster INTEGER NOT NULL DEFAULT 0;
ALTER TABLE videos ADD COLUMN screenshots INTEGER NOT NULL DEFAULT 0;
ALTER TABLE videos ADD COLUMN sprite INTEGER NOT NULL DEFAULT 0;
CREATE TABLE jobs (
  slug TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  holder TEXT NOT NULL,
  lease TEXT NOT NULL,
  failures INTEGER NOT NULL,
  deaths INTEGER NOT NULL,
  error TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_due ON jobs (due_at) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_leased ON jobs (lease) WHERE state = 'running';
CREATE INDEX jobs_failed ON jobs (slug) WHERE state = 'failed';
CREATE TABLE renditions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  video_bps INTEGER NOT NULL,
  audio_bps INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  size INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  progress INTEGER NOT NULL,
  status TEXT NOT NULL,
  error TEXT NOT NULL,
  UNIQUE (slug, name)
) STRICT;
INSERT INTO counters VALUES ('jobs_done', 0), ('processing_ms', 0);
)sql",
    // Tries in a row that the machine was at fault for.
    R"sql(
ALTER TABLE jobs ADD COLUMN faults INTEGER NOT NULL DEFAULT 0;
)sql",
    // Of the deliveries of a stream the first one alone has a time; `next_at` of the others is the
    // largest number that there is.
    R"sql(
UPDATE deliveries AS behind SET next_at = 9223372036854775807 WHERE event >
  (SELECT min(event) FROM deliveries WHERE webhook = behind.webhook AND stream = behind.stream);
CREATE INDEX deliveries_in_front ON deliveries (webhook, event, next_at)
  WHERE next_at <> 9223372036854775807;
)sql",
    // The history of streams, in the order of `number`. `session` is the 64 bits of its id;
    // `end_reason` is empty until it ends, or another one begins. `error` of a delivery: why the
    // last try failed.
    R"sql(
CREATE TABLE sessions (
  number INTEGER PRIMARY KEY,
  stream_id INTEGER NOT NULL,
  session INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL DEFAULT 0,
  end_reason TEXT NOT NULL DEFAULT '',
  video_codec TEXT NOT NULL DEFAULT '',
  width INTEGER NOT NULL DEFAULT 0,
  height INTEGER NOT NULL DEFAULT 0,
  frame_rate_milli INTEGER NOT NULL DEFAULT 0,
  audio_codec TEXT NOT NULL DEFAULT '',
  sample_rate INTEGER NOT NULL DEFAULT 0,
  channels INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  transcoder_restarts INTEGER NOT NULL DEFAULT 0,
  UNIQUE (stream_id, session, started_at)
) STRICT;
CREATE INDEX sessions_of_stream ON sessions (stream_id, number);
ALTER TABLE deliveries ADD COLUMN error TEXT NOT NULL DEFAULT '';
CREATE INDEX deliveries_failed ON deliveries (webhook, event) WHERE error <> '';
)sql",
    // The same indexes the other way round, and walked backwards: a new video is then added behind
    // the last one, where SQLite fills its pages; in front of the first one it leaves half of each
    // empty, and all of them are read for a search or a late page.
    R"sql(
DROP INDEX videos_newest;
DROP INDEX videos_of_stream;
DROP INDEX videos_by_status;
DROP INDEX videos_of_client;
CREATE INDEX videos_newest ON videos (recording_started_at, id, name);
CREATE INDEX videos_of_stream ON videos (stream_id, recording_started_at, id, status, name);
CREATE INDEX videos_by_status ON videos (status, recording_started_at, id, name);
CREATE INDEX videos_of_client ON videos (client_user_id, recording_started_at, id, status, name)
  WHERE client_user_id IS NOT NULL;
)sql",
};
constexpr auto kVersion = static_cast<std::int64_t>(kSteps.size());

// The version of the file; 0: an empty one.
Result<std::int64_t> schema_version(SqliteDatabase& database) {
  Result<std::int64_t> version = database.query_integer("PRAGMA user_version");
  if (!version) {
    return version;
  }
  Result<std::int64_t> application = database.query_integer("PRAGMA application_id");
  if (!application) {
    return application;
  }
  Result<std::int64_t> objects = database.query_integer("SELECT count(*) FROM sqlite_master");
  if (!objects) {
    return objects;
  }
  if (application.value() != kApplicationId && (version.value() != 0 || objects.value() != 0)) {
    return Error{Errc::kInvalidArgument, "catalogue " + database.path() +
                                             ": this SQLite file belongs to another program; name "
                                             "another file in `catalog`"};
  }
  if (version.value() > kVersion) {
    return Error{Errc::kUnavailable,
                 "catalogue " + database.path() + ": its schema is version " +
                     std::to_string(version.value()) + ", this module knows versions up to " +
                     std::to_string(kVersion) + "; install the newer module again"};
  }
  return version;
}

}  // namespace

Status migrate(SqliteDatabase& database) {
  SqliteTransaction transaction(database);
  // Looked at before the lock is taken, so that opening an up-to-date file waits for no writer.
  Result<std::int64_t> version = schema_version(database);
  if (version && version.value() < kVersion) {
    RECORDING_TRY(transaction.begin());
    version = schema_version(database);
  }
  if (!version) {
    return std::move(version).error();
  }
  if (version.value() == kVersion) {
    return ok();  // another process was faster, if the transaction is open
  }
  for (auto step = version.value(); step < kVersion; ++step) {
    RECORDING_TRY(database.execute(kSteps[static_cast<std::size_t>(step)]));
  }
  RECORDING_TRY(
      database.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str()));
  RECORDING_TRY(database.execute(("PRAGMA user_version = " + std::to_string(kVersion)).c_str()));
  return transaction.commit();
}

Status check_schema(SqliteDatabase& database) {
  Result<std::int64_t> version = schema_version(database);
  // On a first start the writer is at it: a reader of the first second waits, in its pool thread.
  for (int tries = 0; version && version.value() < kVersion && tries < 100; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    version = schema_version(database);
  }
  if (!version) {
    return std::move(version).error();
  }
  if (version.value() != kVersion) {
    return Error{Errc::kUnavailable, "catalogue " + database.path() +
                                         ": its tables are being made; try again in a moment"};
  }
  return ok();
}

}  // namespace recording::catalog
