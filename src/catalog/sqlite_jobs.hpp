#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/sqlite_database.hpp"

namespace recording::catalog {

// The tables `jobs` and `renditions`; calls as in Catalog.
class SqliteJobs {
 public:
  explicit SqliteJobs(SqliteDatabase& database) : database_(database) {}

  // Inside a transaction of the caller: a video became viewable, or was deleted.
  Status add(const std::string& slug);
  Status forget(const std::string& slug);

  Result<std::vector<RenditionRow>> renditions(const std::vector<std::string>& slugs);
  Status insert(const RenditionRow& row);
  Result<bool> ask(std::int64_t video_id, const RenditionRow& wanted);
  Result<bool> has_due(std::int64_t now);
  Result<std::optional<Lease>> lease(const std::string& holder, std::int64_t now,
                                     std::int64_t until);
  Result<std::vector<RenditionRow>> begin(const std::string& lease,
                                          const std::vector<RenditionRow>& wanted);
  Status extend(const std::string& lease, std::int64_t until, std::int64_t progress);
  Result<VideoRow> end(const std::string& lease, const JobEnd& end);
  Status give_back(const std::string& lease);
  Result<bool> is_leased(const std::string& lease, std::int64_t now);
  Status end_leases_of(const std::string& holder);
  Result<WorkFigures> figures();

 private:
  Result<std::string> slug_of(const std::string& lease);
  Result<std::vector<RenditionRow>> rows_of(const std::string& slug, const char* condition);
  Status want(const std::string& slug, const RenditionRow& wanted);
  Status write_rendition(const RenditionRow& row, bool given_up);
  Status write_video(const std::string& slug, const JobEnd& end);
  Status close(const std::string& lease, const JobEnd& end, bool more_to_make);
  Status count(const JobEnd& end);

  SqliteDatabase& database_;
};

}  // namespace recording::catalog
