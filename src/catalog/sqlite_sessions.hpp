#pragma once

#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/sqlite_database.hpp"

namespace recording::catalog {

// The table `sessions`, the history of streams; calls as in Catalog.
class SqliteSessions {
 public:
  explicit SqliteSessions(SqliteDatabase& database) : database_(database) {}

  Status begin(const SessionStart& start);
  Status end(const SessionRow& row);
  Result<std::vector<SessionRow>> list(std::int64_t stream_id, std::int64_t offset,
                                       std::int64_t limit);

 private:
  SqliteDatabase& database_;
};

}  // namespace recording::catalog
