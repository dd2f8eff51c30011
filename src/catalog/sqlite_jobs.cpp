#include "catalog/sqlite_jobs.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/strings.hpp"
#include "catalog/sqlite_events.hpp"
#include "catalog/sqlite_videos.hpp"
#include "catalog/wall_time.hpp"

namespace recording::catalog {

namespace {

// No lease and no pause is as long: whatever is due later is due by a clock that was wrong.
constexpr std::int64_t kLongestMs = 24 * 3600 * 1000;

const char* const kDue =
    " state IN ('waiting', 'running') AND (due_at <= ?1 OR due_at > ?1 + 86400000) ";
static_assert(kLongestMs == 86400000);

const char* const kColumns =
    " id, slug, name, video_bps, audio_bps, width, height, size, duration_ms, progress, status,"
    " error ";

RenditionRow row_of(const SqliteStatement& from) {
  RenditionRow row;
  row.id = from.get_integer(0);
  row.slug = from.get_bytes(1);
  row.name = from.get_bytes(2);
  row.video_bps = from.get_integer(3);
  row.audio_bps = from.get_integer(4);
  row.width = from.get_integer(5);
  row.height = from.get_integer(6);
  row.size = from.get_integer(7);
  row.duration_ms = from.get_integer(8);
  row.progress = from.get_integer(9);
  row.status = from.get_bytes(10);
  row.error = from.get_bytes(11);
  return row;
}

// "720p, 480p: why; 360p: why", of this try or an earlier one.
std::string failures_of(const std::vector<RenditionRow>& rows) {
  std::string names, text, why;
  const auto end_group = [&] {
    text += names.empty() ? "" : (text.empty() ? "" : "; ") + names + ": " + why;
  };
  for (const RenditionRow& row : rows) {
    if (row.status != "error") {
      continue;
    }
    if (!names.empty() && row.error == why) {
      names += ", " + row.name;
      continue;
    }
    end_group();
    names = row.name;
    why = row.error;
  }
  end_group();
  return text;
}

Error lease_is_over() { return {Errc::kNotFound, "the job is somebody else's, or was cancelled"}; }

// Of an UPDATE of a lease: one row, or it is over.
Status one_changed(SqliteDatabase& database, SqliteStatement& statement) {
  RECORDING_TRY(statement.finish());
  return database.changes() == 1 ? ok() : Status(lease_is_over());
}

}  // namespace

Status SqliteJobs::add(const std::string& slug) {
  SqliteStatement statement = database_.prepare(
      "INSERT OR IGNORE INTO jobs (slug, state, due_at, holder, lease, failures, deaths, error)"
      " SELECT slug, 'waiting', ?, '', '', 0, 0, '' FROM videos"
      " WHERE slug = ? AND status = 'viewable'");
  statement.integer(wall_time_ms()).text(slug);
  return statement.finish();
}

Status SqliteJobs::forget(const std::string& slug) {
  SqliteStatement job = database_.prepare("DELETE FROM jobs WHERE slug = ?");
  job.text(slug);
  RECORDING_TRY(job.finish());
  SqliteStatement renditions = database_.prepare("DELETE FROM renditions WHERE slug = ?");
  renditions.text(slug);
  return renditions.finish();
}

Result<std::vector<RenditionRow>> SqliteJobs::renditions(const std::vector<std::string>& slugs) {
  static const std::string kSql =
      std::string("SELECT") + kColumns +
      "FROM renditions WHERE slug IN (SELECT value FROM json_each(?)) ORDER BY id";
  SqliteStatement statement = database_.prepare(kSql);
  statement.text(nlohmann::json(slugs).dump());
  return statement.all(row_of);
}

Result<std::vector<RenditionRow>> SqliteJobs::rows_of(const std::string& slug,
                                                      const char* condition) {
  SqliteStatement statement =
      database_.prepare(std::string("SELECT") + kColumns + "FROM renditions WHERE slug = ? AND " +
                        condition + " ORDER BY id");
  statement.text(slug);
  return statement.all(row_of);
}

Status SqliteJobs::insert(const RenditionRow& row) {
  SqliteStatement statement = database_.prepare(
      "INSERT OR IGNORE INTO renditions (slug, name, video_bps, audio_bps, width, height, size,"
      " duration_ms, progress, status, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')");
  statement.text(row.slug)
      .text(row.name)
      .integer(row.video_bps)
      .integer(row.audio_bps)
      .integer(row.width)
      .integer(row.height)
      .integer(row.size)
      .integer(row.duration_ms)
      .integer(row.status == "complete" ? 100 : 0)
      .text(row.status);
  return statement.finish();
}

// One that is to be made.
Status SqliteJobs::want(const std::string& slug, const RenditionRow& wanted) {
  RenditionRow row;
  row.slug = slug;
  row.name = wanted.name;
  row.video_bps = wanted.video_bps;
  row.audio_bps = wanted.audio_bps;
  return insert(row);
}

Result<bool> SqliteJobs::ask(std::int64_t video_id, const RenditionRow& wanted) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  Result<VideoRow> video = SqliteVideos(database_).get(video_id);
  if (!video) {
    return std::move(video).error();
  }
  if (video.value().status != "viewable" && video.value().status != "ready") {
    return Error{Errc::kConflict,
                 "video_not_viewable: a quality can be made of a video that is viewable or ready"};
  }
  const std::string& slug = video.value().slug;
  RECORDING_TRY(want(slug, wanted));
  bool asked = database_.changes() == 1;
  if (!asked) {
    SqliteStatement again = database_.prepare(
        "UPDATE renditions SET status = 'processing', error = '', progress = 0, video_bps = ?,"
        " audio_bps = ? WHERE slug = ? AND name = ? AND status = 'error'");
    again.integer(wanted.video_bps).integer(wanted.audio_bps).text(slug).text(wanted.name);
    RECORDING_TRY(again.finish());
    asked = database_.changes() == 1;
  }
  if (!asked) {
    return false;
  }
  SqliteStatement job = database_.prepare(
      "INSERT INTO jobs (slug, state, due_at, holder, lease, failures, deaths, error)"
      " VALUES (?, 'waiting', ?, '', '', 0, 0, '') ON CONFLICT (slug) DO UPDATE "
      "SET"
      " state = 'waiting', due_at = excluded.due_at, failures = 0, deaths = 0, faults = 0,"
      " error = ''"
      " WHERE state IN ('done', 'failed')");
  job.text(slug).integer(wall_time_ms());
  RECORDING_TRY(job.finish());
  SqliteStatement status = database_.prepare(
      "UPDATE videos SET status = 'viewable', updated_at = max(?, updated_at) WHERE slug = ?");
  status.integer(wall_time_ms()).text(slug);
  RECORDING_TRY(status.finish());
  RECORDING_TRY(transaction.commit());
  return true;
}

Result<bool> SqliteJobs::has_due(std::int64_t now) {
  static const std::string kSql = std::string("SELECT 1 FROM jobs WHERE") + kDue + "LIMIT 1";
  SqliteStatement statement = database_.prepare(kSql);
  statement.integer(now);
  return statement.step();
}

Result<std::optional<Lease>> SqliteJobs::lease(const std::string& holder, std::int64_t now,
                                               std::int64_t until) {
  static const std::string kSql =
      std::string(
          "UPDATE jobs SET deaths = deaths + (state = 'running'), state = 'running', holder = ?2,"
          " lease = ?3, due_at = ?4 WHERE slug = (SELECT slug FROM jobs WHERE") +
      kDue + "ORDER BY due_at LIMIT 1) RETURNING slug, failures, deaths, faults";
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  Lease lease;
  lease.id = random_id();
  std::string slug;
  {
    SqliteStatement statement = database_.prepare(kSql);
    statement.integer(now).text(holder).text(lease.id).integer(until);
    Result<bool> found = statement.step();
    if (!found) {
      return std::move(found).error();
    }
    if (!found.value()) {
      return std::optional<Lease>();
    }
    slug = statement.get_bytes(0);
    lease.failures = statement.get_integer(1);
    lease.deaths = statement.get_integer(2);
    lease.faults = statement.get_integer(3);
    RECORDING_TRY(statement.finish());
  }
  Result<VideoRow> video = SqliteVideos(database_).by_slug(slug);
  if (!video) {
    return std::move(video).error();
  }
  lease.video = std::move(video).value();
  RECORDING_TRY(transaction.commit());
  return std::optional<Lease>(std::move(lease));
}

Result<std::string> SqliteJobs::slug_of(const std::string& lease) {
  SqliteStatement statement =
      database_.prepare("SELECT slug FROM jobs WHERE lease = ? AND state = 'running'");
  statement.text(lease);
  Result<bool> found = statement.step();
  if (!found) {
    return std::move(found).error();
  }
  return found.value() ? Result<std::string>(statement.get_bytes(0)) : lease_is_over();
}

Result<std::vector<RenditionRow>> SqliteJobs::begin(const std::string& lease,
                                                    const std::vector<RenditionRow>& wanted) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  Result<std::string> slug = slug_of(lease);
  if (!slug) {
    return std::move(slug).error();
  }
  for (const RenditionRow& one : wanted) {
    RECORDING_TRY(want(slug.value(), one));
  }
  Result<std::vector<RenditionRow>> rows = rows_of(slug.value(), "status = 'processing'");
  if (rows) {
    RECORDING_TRY(transaction.commit());
  }
  return rows;
}

Status SqliteJobs::extend(const std::string& lease, std::int64_t until, std::int64_t progress) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  Result<std::string> slug = slug_of(lease);
  if (!slug) {
    return std::move(slug).error();
  }
  SqliteStatement job =
      database_.prepare("UPDATE jobs SET due_at = ? WHERE lease = ? AND state = 'running'");
  job.integer(until).text(lease);
  RECORDING_TRY(job.finish());
  // Also of one that was asked for meanwhile: it is next.
  SqliteStatement rows = database_.prepare(
      "UPDATE renditions SET progress = ? WHERE slug = ? AND status = 'processing'");
  rows.integer(progress).text(slug.value());
  RECORDING_TRY(rows.finish());
  return transaction.commit();
}

Status SqliteJobs::write_rendition(const RenditionRow& row, bool given_up) {
  const bool complete = row.status == "complete";
  SqliteStatement statement = database_.prepare(
      "UPDATE renditions SET width = ?, height = ?, size = ?, duration_ms = ?, progress = ?,"
      " status = ?, error = ? WHERE id = ?");
  statement.integer(row.width)
      .integer(row.height)
      .integer(row.size)
      .integer(row.duration_ms)
      .integer(complete ? 100 : 0)
      .text(complete   ? "complete"
            : given_up ? "error"
                       : "processing")
      .text(to_valid_utf8(row.error))
      .integer(row.id);
  return statement.finish();
}

Status SqliteJobs::write_video(const std::string& slug, const JobEnd& end) {
  if (end.pictures) {
    SqliteStatement pictures = database_.prepare(
        "UPDATE videos SET poster = ?, screenshots = ?, sprite = ? WHERE slug = ?");
    pictures.integer(end.pictures->poster ? 1 : 0)
        .integer(end.pictures->screenshots)
        .integer(end.pictures->sprite ? 1 : 0)
        .text(slug);
    RECORDING_TRY(pictures.finish());
  }
  Result<std::vector<RenditionRow>> incomplete = rows_of(slug, "status <> 'complete'");
  if (!incomplete) {
    return std::move(incomplete).error();
  }
  // Pictures that cannot be made, when all else was, do not hold it up for good.
  const bool only_pictures = end.pictures && end.retry_at == 0;
  const bool ready = incomplete.value().empty() && (end.error.empty() || only_pictures);
  std::string words = end.error.empty() ? end.missing : "processing_failed: " + end.error;
  if (const std::string failed = failures_of(incomplete.value()); !failed.empty()) {
    words = "processing_failed: " + failed;
  }
  SqliteStatement statement = database_.prepare(
      "UPDATE videos SET status = ?, error = ?, updated_at = max(?, updated_at) WHERE slug = ?");
  statement.text(ready ? "ready" : "viewable")
      .text(end.retry_at != 0 ? std::string() : to_valid_utf8(words))
      .integer(wall_time_ms())
      .text(slug);
  return statement.finish();
}

Status SqliteJobs::close(const std::string& lease, const JobEnd& end, bool more_to_make) {
  const bool failed = !end.error.empty();
  SqliteStatement statement = database_.prepare(
      "UPDATE jobs SET state = ?, due_at = ?, failures = failures + ?, deaths = 0, faults = faults "
      "* ? + ?,"
      " error = ?, lease = '', holder = '' WHERE lease = ? AND state = 'running'");
  const bool again = failed && end.retry_at != 0;
  statement.text(again || more_to_make ? "waiting"
                 : failed              ? "failed"
                                       : "done")
      .integer(again ? end.retry_at : wall_time_ms())
      .integer(failed && !end.of_machine ? 1 : 0)
      .integer(end.of_machine ? 1 : 0)
      .integer(end.of_machine ? 1 : 0)
      .text(to_valid_utf8(end.error))
      .text(lease);
  return one_changed(database_, statement);
}

Status SqliteJobs::count(const JobEnd& end) {
  SqliteStatement time =
      database_.prepare("UPDATE counters SET next = next + ? WHERE name = 'processing_ms'");
  time.integer(end.took_ms);
  RECORDING_TRY(time.finish());
  SqliteStatement done =
      database_.prepare("UPDATE counters SET next = next + ? WHERE name = 'jobs_done'");
  done.integer(end.error.empty() ? 1 : 0);
  return done.finish();
}

Result<VideoRow> SqliteJobs::end(const std::string& lease, const JobEnd& end) {
  SqliteTransaction transaction(database_);
  RECORDING_TRY(transaction.begin());
  Result<std::string> slug = slug_of(lease);
  if (!slug) {
    return std::move(slug).error();
  }
  const bool given_up = end.retry_at == 0;
  for (const RenditionRow& row : end.renditions) {
    RECORDING_TRY(write_rendition(row, given_up));
  }
  RECORDING_TRY(write_video(slug.value(), end));
  // Asked for while this was made.
  Result<std::vector<RenditionRow>> left = rows_of(slug.value(), "status = 'processing'");
  if (!left) {
    return std::move(left).error();
  }
  RECORDING_TRY(close(lease, end, !left.value().empty()));
  RECORDING_TRY(count(end));
  Result<VideoRow> video = SqliteVideos(database_).by_slug(slug.value());
  if (!video) {
    return video;
  }
  RECORDING_TRY(SqliteEvents(database_).tell(end.tell, video.value()));
  RECORDING_TRY(transaction.commit());
  return video;
}

Status SqliteJobs::give_back(const std::string& lease) {
  SqliteStatement statement = database_.prepare(
      "UPDATE jobs SET state = 'waiting', due_at = ?, lease = '', holder = '' WHERE lease = ? AND"
      " state = 'running'");
  statement.integer(wall_time_ms()).text(lease);
  return one_changed(database_, statement);
}

Result<bool> SqliteJobs::is_leased(const std::string& lease, std::int64_t now) {
  SqliteStatement statement =
      database_.prepare("SELECT 1 FROM jobs WHERE lease = ? AND state = 'running' AND due_at > ?");
  statement.text(lease).integer(now);
  return statement.step();
}

Status SqliteJobs::end_leases_of(const std::string& holder) {
  SqliteStatement statement =
      database_.prepare("UPDATE jobs SET due_at = 0 WHERE holder = ? AND state = 'running'");
  statement.text(holder);
  return statement.finish();
}

Result<WorkFigures> SqliteJobs::figures() {
  SqliteStatement statement = database_.prepare(
      "SELECT (SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')),"
      " (SELECT count(*) FROM jobs WHERE state = 'running'),"
      " (SELECT count(*) FROM jobs WHERE state = 'failed'),"
      " (SELECT next FROM counters WHERE name = 'jobs_done'),"
      " (SELECT next FROM counters WHERE name = 'processing_ms')");
  Result<bool> found = statement.step();
  if (!found) {
    return std::move(found).error();
  }
  WorkFigures figures;
  figures.running = statement.get_integer(1);
  figures.waiting = statement.get_integer(0) - figures.running;
  figures.failed = statement.get_integer(2);
  figures.done = statement.get_integer(3);
  figures.processing_ms = statement.get_integer(4);
  return figures;
}

}  // namespace recording::catalog
