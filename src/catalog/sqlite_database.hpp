#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace recording::catalog {

class SqliteDatabase;

// One use of a prepared statement: bound, stepped, and given back when it goes. Parameters are
// bound in order; a fault in binding is told by the first step().
class SqliteStatement {
 public:
  SqliteStatement(SqliteDatabase& database, sqlite3_stmt* statement, int status);
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  SqliteStatement& integer(std::int64_t value);
  SqliteStatement& integer(const std::optional<std::int64_t>& value);
  SqliteStatement& text(std::string_view value);  // UTF-8
  SqliteStatement& blob(std::string_view value);  // any bytes

  Result<bool> step();  // true: there is a row
  // What `take` makes of each row.
  template <class Take>
  auto all(Take take) -> Result<std::vector<std::invoke_result_t<Take, SqliteStatement&>>> {
    std::vector<std::invoke_result_t<Take, SqliteStatement&>> rows;
    for (;;) {
      Result<bool> more = step();
      if (!more) {
        return std::move(more).error();
      }
      if (!more.value()) {
        return rows;
      }
      rows.push_back(take(*this));
    }
  }
  Status finish();  // steps to the end, which is when a change outside a transaction is committed

  [[nodiscard]] std::int64_t get_integer(int column) const;
  [[nodiscard]] std::optional<std::int64_t> get_optional(int column) const;
  [[nodiscard]] std::string get_bytes(int column) const;  // of text and blob

 private:
  SqliteDatabase& database_;
  sqlite3_stmt* statement_;
  int status_;
  int next_parameter_ = 1;
};

// A connection with its prepared statements. One thread at a time.
class SqliteDatabase {
 public:
  // A writer makes the file; a reader refuses to change anything.
  static Result<std::unique_ptr<SqliteDatabase>> open(const std::string& path, bool writer);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // The statement is kept; only one use of the same text at a time.
  SqliteStatement prepare(const std::string& sql);
  Status execute(const char* sql);  // one or more statements without parameters
  Result<std::int64_t> query_integer(const std::string& sql);
  Result<std::string> query_text(const std::string& sql);
  [[nodiscard]] std::int64_t changes() const;  // rows changed by the last statement

  // Another number than before when anybody has changed the file since.
  Result<std::int64_t> version();

  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // What `status`, a result code of SQLite, means to the caller.
  Error error(int status);

 private:
  SqliteDatabase(std::string path, sqlite3* handle);
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };

  std::string path_;
  sqlite3* handle_;
  bool usable_ = true;
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalizer>> statements_;
};

// Takes the write lock at once (BEGIN IMMEDIATE), so that nothing inside can fail for a stale read;
// rolls back unless committed.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(SqliteDatabase& database) : database_(database) {}
  ~SqliteTransaction();
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;
  Status begin();
  Status commit();

 private:
  SqliteDatabase& database_;
  bool open_ = false;
};

}  // namespace recording::catalog
