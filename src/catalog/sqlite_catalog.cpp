#include "catalog/sqlite_catalog.hpp"

#include <cerrno>
#include <chrono>
#include <thread>

#include "catalog/sqlite_database.hpp"
#include "catalog/sqlite_events.hpp"
#include "catalog/sqlite_jobs.hpp"
#include "catalog/sqlite_migrations.hpp"
#include "catalog/sqlite_sessions.hpp"
#include "catalog/sqlite_streams.hpp"
#include "catalog/sqlite_videos.hpp"

namespace recording::catalog {

namespace {

class SqliteCatalog final : public Catalog {
 public:
  explicit SqliteCatalog(std::unique_ptr<SqliteDatabase> database)
      : database_(std::move(database)),
        streams_(*database_),
        sessions_(*database_),
        videos_(*database_),
        events_(*database_),
        jobs_(*database_) {}

  [[nodiscard]] bool usable() const override { return database_->usable(); }

  Result<StreamRow> ensure_stream(const std::string& app, const std::string& name) override {
    return streams_.ensure(app, name);
  }
  Result<StreamRow> add_stream(const StreamRow& row) override { return streams_.add(row); }
  Result<StreamRow> stream(std::int64_t id) override { return streams_.get(id); }
  Result<StreamRow> stream(const std::string& app, const std::string& name) override {
    return streams_.get(app, name);
  }
  Result<std::vector<StreamRow>> streams(std::int64_t offset, std::int64_t limit) override {
    return streams_.list(offset, limit);
  }
  Result<StreamRow> change_stream(std::int64_t id, const StreamPatch& patch) override {
    return streams_.change(id, patch);
  }
  Status delete_stream(std::int64_t id) override { return streams_.remove(id); }
  Status begin_session(const SessionStart& start) override { return sessions_.begin(start); }
  Status end_session(const SessionRow& row) override { return sessions_.end(row); }
  Result<std::vector<SessionRow>> sessions(std::int64_t stream_id, std::int64_t offset,
                                           std::int64_t limit) override {
    return sessions_.list(stream_id, offset, limit);
  }

  Status put_video(const VideoRow& row) override { return videos_.put(row); }
  Result<VideoRow> video(std::int64_t id) override { return videos_.get(id); }
  Result<VideoRow> video_by_slug(const std::string& slug) override { return videos_.by_slug(slug); }
  Result<std::vector<VideoRow>> videos(const VideoFilter& filter) override {
    return videos_.list(filter);
  }
  Result<VideoRow> change_video(std::int64_t id, const VideoPatch& patch) override {
    return videos_.change(id, patch);
  }
  Result<VideoRow> delete_video(std::int64_t id, const Tell& tell) override {
    return videos_.remove(id, tell);
  }
  Result<bool> was_deleted(const std::string& slug) override { return videos_.was_deleted(slug); }
  Result<std::vector<VideoRow>> deleted_with_files(std::int64_t limit) override {
    return videos_.deleted_with_files(limit);
  }
  Status files_removed(const std::string& slug, const std::string& path) override {
    return videos_.files_removed(slug, path);
  }
  Result<std::vector<std::int64_t>> videos_ended_before(std::int64_t wall_ms,
                                                        std::int64_t limit) override {
    return videos_.ended_before(wall_ms, limit);
  }

  Status add_events(const std::vector<EventRow>& events,
                    const std::vector<std::string>& webhooks) override {
    return events_.add(events, webhooks);
  }
  Result<std::optional<Delivery>> claim_delivery(const std::string& webhook, std::int64_t now_ms,
                                                 std::int64_t until_ms) override {
    return events_.claim(webhook, now_ms, until_ms);
  }
  Status delivered(const std::string& webhook, const Delivery& delivery) override {
    return events_.delivered(webhook, delivery);
  }
  Status delivery_failed(const std::string& webhook, const Delivery& delivery, std::int64_t next_ms,
                         const std::string& error) override {
    return events_.failed(webhook, delivery, next_ms, error);
  }
  Result<std::vector<WebhookBacklog>> webhook_backlogs() override { return events_.backlogs(); }
  Result<std::int64_t> prune_events(std::int64_t happened_before_ms) override {
    return events_.prune(happened_before_ms);
  }

  Result<std::int64_t> version() override { return database_->version(); }

  Result<std::vector<RenditionRow>> renditions(const std::vector<std::string>& slugs) override {
    return jobs_.renditions(slugs);
  }
  Status put_rendition(const RenditionRow& row) override { return jobs_.insert(row); }
  Result<bool> ask_rendition(std::int64_t video_id, const RenditionRow& wanted) override {
    return jobs_.ask(video_id, wanted);
  }
  Result<bool> has_due_job(std::int64_t now) override { return jobs_.has_due(now); }
  Result<std::optional<Lease>> lease_job(const std::string& holder, std::int64_t now,
                                         std::int64_t until) override {
    return jobs_.lease(holder, now, until);
  }
  Result<std::vector<RenditionRow>> begin_job(const std::string& lease,
                                              const std::vector<RenditionRow>& wanted) override {
    return jobs_.begin(lease, wanted);
  }
  Status extend_job(const std::string& lease, std::int64_t until, std::int64_t progress) override {
    return jobs_.extend(lease, until, progress);
  }
  Result<VideoRow> end_job(const std::string& lease, const JobEnd& end) override {
    return jobs_.end(lease, end);
  }
  Status give_back_job(const std::string& lease) override { return jobs_.give_back(lease); }
  Result<bool> is_leased(const std::string& lease, std::int64_t now) override {
    return jobs_.is_leased(lease, now);
  }
  Status end_leases_of(const std::string& holder) override { return jobs_.end_leases_of(holder); }
  Result<WorkFigures> work_figures() override {
    Result<WorkFigures> jobs = jobs_.figures();
    return jobs ? events_.figures(jobs.value()) : jobs;
  }
  Result<IdRange> lease_video_ids(std::int64_t count) override { return videos_.lease_ids(count); }

 private:
  std::unique_ptr<SqliteDatabase> database_;
  SqliteStreams streams_;
  SqliteSessions sessions_;
  SqliteVideos videos_;
  SqliteEvents events_;
  SqliteJobs jobs_;
};

// The change to WAL needs the file for itself, and SQLite does not wait for it by busy_timeout in
// every case: several workers that start with a new file meet here.
Status use_wal(SqliteDatabase& database) {
  constexpr int kAttempts = 50;
  for (int attempt = 1;; ++attempt) {
    Result<std::string> mode = database.query_text("PRAGMA journal_mode = WAL");
    if (mode && mode.value() == "wal") {
      return ok();
    }
    if (mode) {
      return Error{Errc::kUnavailable, "catalogue " + database.path() +
                                           ": write-ahead logging cannot be used there; put the "
                                           "catalogue on a local disk"};
    }
    if (mode.error().code != Errc::kUnavailable || !database.usable() || attempt == kAttempts) {
      return std::move(mode).error();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Status prepare_writer(SqliteDatabase& database) {
  RECORDING_TRY(use_wal(database));
  // A setting that was answered with 200 is there after a power cut.
  RECORDING_TRY(database.execute("PRAGMA synchronous = FULL"));
  // A log that once grew under a long read is cut back.
  RECORDING_TRY(database.execute("PRAGMA journal_size_limit = 16777216"));
  return migrate(database);
}

// On a first start the writer makes the file: a reader of the first second waits for that, in its
// pool thread, as it waits for the tables.
Result<std::unique_ptr<SqliteDatabase>> open_reader(const std::string& path) {
  for (int tries = 0;; ++tries) {
    Result<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::open(path, false);
    if (database || database.error().sys_errno != ENOENT || tries == 100) {
      return database;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

Result<std::unique_ptr<Catalog>> open_sqlite_catalog(const std::string& path, bool writer) {
  Result<std::unique_ptr<SqliteDatabase>> database =
      writer ? SqliteDatabase::open(path, true) : open_reader(path);
  if (!database) {
    return std::move(database).error();
  }
  RECORDING_TRY(writer ? prepare_writer(*database.value()) : check_schema(*database.value()));
  return std::unique_ptr<Catalog>(std::make_unique<SqliteCatalog>(std::move(database).value()));
}

}  // namespace recording::catalog
