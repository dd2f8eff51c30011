#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/sqlite_database.hpp"

namespace recording::catalog {

Error no_such_stream();  // as the API says it

// The table `streams`; calls as in Catalog.
class SqliteStreams {
 public:
  explicit SqliteStreams(SqliteDatabase& database) : database_(database) {}

  Result<StreamRow> ensure(const std::string& app, const std::string& name);
  Result<StreamRow> add(const StreamRow& row);
  Result<StreamRow> get(std::int64_t id);
  Result<StreamRow> get(const std::string& app, const std::string& name);
  Result<std::vector<StreamRow>> list(std::int64_t offset, std::int64_t limit);
  Result<StreamRow> change(std::int64_t id, const StreamPatch& patch);
  Status remove(std::int64_t id);

 private:
  SqliteDatabase& database_;
};

}  // namespace recording::catalog
