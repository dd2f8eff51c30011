#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/sqlite_database.hpp"

namespace recording::catalog {

// The tables `videos`, `deleted_videos` and `counters`; calls as in Catalog.
// What list() runs: for EXPLAIN QUERY PLAN.
std::string list_sql(const VideoFilter& filter);

class SqliteVideos {
 public:
  explicit SqliteVideos(SqliteDatabase& database) : database_(database) {}

  Status put(const VideoRow& row);
  Result<VideoRow> get(std::int64_t id);
  Result<VideoRow> by_slug(const std::string& slug);
  Result<std::vector<VideoRow>> list(const VideoFilter& filter);
  Result<VideoRow> change(std::int64_t id, const VideoPatch& patch);
  Result<VideoRow> remove(std::int64_t id, const Tell& tell);
  Result<bool> was_deleted(const std::string& slug);
  Result<std::vector<VideoRow>> deleted_with_files(std::int64_t limit);
  Status files_removed(const std::string& slug, const std::string& path);
  Result<std::vector<std::int64_t>> ended_before(std::int64_t wall_ms, std::int64_t limit);
  Result<IdRange> lease_ids(std::int64_t count);

 private:
  Result<std::int64_t> id_for(const VideoRow& row);
  Result<std::string> name_for(const VideoRow& row);
  Status remember_files(const VideoRow& row);
  Status upsert(const VideoRow& row, std::int64_t id, const std::string& name);

  SqliteDatabase& database_;
};

}  // namespace recording::catalog
