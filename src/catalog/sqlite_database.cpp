#include "catalog/sqlite_database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace recording::catalog {

namespace {

constexpr int kBusyTimeoutMs = 5000;

Errc errc_of(int status) {
  switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_SCHEMA:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
      return Errc::kUnavailable;
    case SQLITE_FULL:
      return Errc::kNoSpace;
    case SQLITE_IOERR:
      return Errc::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::kCorrupt;
    case SQLITE_CONSTRAINT:
      return Errc::kConflict;
    case SQLITE_TOOBIG:
      return Errc::kInvalidArgument;
    default:
      return Errc::kInternal;
  }
}

// What to do about it, after what happened.
const char* advice_of(int status) {
  switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return "another process has held its lock too long; try again";
    case SQLITE_CANTOPEN:
      return "it cannot be opened; see that its folder exists and that the user of nginx's workers "
             "may write there";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "it cannot be written; see that the file and its folder belong to the user of nginx's "
             "workers";
    case SQLITE_FULL:
      return "its disk is full; make room there";
    case SQLITE_IOERR:
      return "its disk reports an error; see the kernel's log";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "it is damaged or no SQLite file; restore a copy, or move it away and have "
             "recording-worker -r make another one of the recordings";
    default:
      return nullptr;
  }
}

// After these a new connection may do better than this one.
bool ends_connection(int status) {
  switch (status & 0xff) {
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISUSE:
      return true;
    default:
      return false;
  }
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string_view bytes_of(sqlite3_value* value) {
  // The length must be asked afterwards.
  const void* bytes = sqlite3_value_blob(value);
  const int size = sqlite3_value_bytes(value);
  return {static_cast<const char*>(bytes), bytes == nullptr ? 0 : static_cast<std::size_t>(size)};
}

// Whether `part` is in `text`, A-Z and a-z being the same.
bool has_part(std::string_view text, std::string_view part) {
  if (part.empty() || part.size() > text.size()) {
    return part.empty();
  }
  constexpr std::size_t kNowhere = std::string_view::npos;
  const std::string_view begins = text.substr(0, text.size() - part.size() + 1);
  const auto same = [](char a, char b) { return to_lower(a) == to_lower(b); };
  const char lower = to_lower(part.front()), upper = to_upper(part.front());
  // Where it may begin, in either case: find() looks at many bytes at once.
  std::size_t small = begins.find(lower);
  std::size_t large = lower == upper ? kNowhere : begins.find(upper);
  for (std::size_t at = std::min(small, large); at != kNowhere; at = std::min(small, large)) {
    if (std::equal(part.begin(), part.end(), text.substr(at).begin(), same)) {
      return true;
    }
    (at == small ? small : large) = begins.find(text[at], at + 1);
  }
  return false;
}

// has_text(text, part): what LIKE would tell, but quicker: a search goes through all names.
void has_text(sqlite3_context* context, int /*count*/, sqlite3_value** values) noexcept {
  sqlite3_result_int(context, has_part(bytes_of(values[0]), bytes_of(values[1])) ? 1 : 0);
}

// SQLite would make a file that all may read; those beside it get the mode of this one. One that
// exists is not opened: to close it again would end the locks that this process has on it.
void make_private(const std::string& path) {
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (made >= 0) {  // else SQLite says why
    ::close(made);
  }
}

}  // namespace

SqliteStatement::SqliteStatement(SqliteDatabase& database, sqlite3_stmt* statement, int status)
    : database_(database), statement_(statement), status_(status) {}

SqliteStatement::~SqliteStatement() {
  if (statement_ != nullptr) {  // it is, where prepare() failed
    // The fault that reset repeats was told by step() already.
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

SqliteStatement& SqliteStatement::integer(std::int64_t value) {
  if (status_ == SQLITE_OK) {
    status_ = sqlite3_bind_int64(statement_, next_parameter_++, value);
  }
  return *this;
}

SqliteStatement& SqliteStatement::integer(const std::optional<std::int64_t>& value) {
  if (value) {
    return integer(*value);
  }
  if (status_ == SQLITE_OK) {
    status_ = sqlite3_bind_null(statement_, next_parameter_++);
  }
  return *this;
}

SqliteStatement& SqliteStatement::text(std::string_view value) {
  if (status_ == SQLITE_OK) {
    // An empty view may have a null pointer, which SQLite would store as NULL.
    status_ = sqlite3_bind_text64(statement_, next_parameter_++, value.empty() ? "" : value.data(),
                                  value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  return *this;
}

SqliteStatement& SqliteStatement::blob(std::string_view value) {
  if (status_ == SQLITE_OK) {
    status_ = sqlite3_bind_blob64(statement_, next_parameter_++, value.empty() ? "" : value.data(),
                                  value.size(), SQLITE_TRANSIENT);
  }
  return *this;
}

Result<bool> SqliteStatement::step() {
  if (status_ != SQLITE_OK) {
    return database_.error(status_);
  }
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW || status == SQLITE_DONE) {
    return status == SQLITE_ROW;
  }
  return database_.error(status);
}

Status SqliteStatement::finish() {
  for (;;) {
    Result<bool> row = step();
    if (!row) {
      return std::move(row).error();
    }
    if (!row.value()) {
      return ok();
    }
  }
}

std::int64_t SqliteStatement::get_integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<std::int64_t> SqliteStatement::get_optional(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) {
    return std::nullopt;
  }
  return sqlite3_column_int64(statement_, column);
}

std::string SqliteStatement::get_bytes(int column) const {
  // sqlite3_column_blob gives text its bytes unchanged too; the length must be asked afterwards.
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

void SqliteDatabase::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqliteDatabase::SqliteDatabase(std::string path, sqlite3* handle)
    : path_(std::move(path)), handle_(handle) {}

SqliteDatabase::~SqliteDatabase() {
  statements_.clear();
  sqlite3_close_v2(handle_);
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::string& path, bool writer) {
  // A reader opens read-write too: in WAL mode readers write to the shared index beside the file.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (writer ? SQLITE_OPEN_CREATE : 0);
  if (writer) {
    make_private(path);
  }
  sqlite3* handle = nullptr;
  const int status = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path, handle));
  if (status != SQLITE_OK) {
    return database->error(status);
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  if (const int made = sqlite3_create_function_v2(
          handle, "has_text", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
          has_text, nullptr, nullptr, nullptr);
      made != SQLITE_OK) {
    return database->error(made);
  }
  if (!writer) {
    RECORDING_TRY(database->execute("PRAGMA query_only = ON"));
  }
  return database;
}

SqliteStatement SqliteDatabase::prepare(const std::string& sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* made = nullptr;
    const int status = sqlite3_prepare_v3(handle_, sql.c_str(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (status != SQLITE_OK) {
      return {*this, nullptr, status};
    }
    found = statements_.emplace(sql, std::unique_ptr<sqlite3_stmt, Finalizer>(made)).first;
  }
  return {*this, found->second.get(), SQLITE_OK};
}

Status SqliteDatabase::execute(const char* sql) {
  const int status = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return status == SQLITE_OK ? ok() : Status(error(status));
}

Result<std::int64_t> SqliteDatabase::query_integer(const std::string& sql) {
  SqliteStatement statement = prepare(sql);
  Result<bool> row = statement.step();
  if (!row) {
    return std::move(row).error();
  }
  return row.value() ? statement.get_integer(0) : 0;
}

Result<std::string> SqliteDatabase::query_text(const std::string& sql) {
  SqliteStatement statement = prepare(sql);
  Result<bool> row = statement.step();
  if (!row) {
    return std::move(row).error();
  }
  return row.value() ? statement.get_bytes(0) : std::string();
}

Result<std::int64_t> SqliteDatabase::version() {
  // The pragma counts what others have done only.
  Result<std::int64_t> others = query_integer("PRAGMA data_version");
  return others ? others.value() * 0x100000000 + sqlite3_total_changes(handle_) + 1
                : std::move(others);
}

std::int64_t SqliteDatabase::changes() const { return sqlite3_changes64(handle_); }

Error SqliteDatabase::error(int status) {
  if (ends_connection(status)) {
    usable_ = false;
  }
  std::string message = "catalogue " + path_ + ": ";
  if (const char* advice = advice_of(status)) {
    message += std::string(advice) + " (" + sqlite3_errstr(status) + ")";
  } else {
    message += handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(status);
  }
  const int base = status & 0xff;
  const bool from_system = base == SQLITE_IOERR || base == SQLITE_CANTOPEN || base == SQLITE_FULL;
  return {errc_of(status), std::move(message),
          from_system && handle_ != nullptr ? sqlite3_system_errno(handle_) : 0};
}

SqliteTransaction::~SqliteTransaction() {
  if (open_) {
    (void)database_.execute("ROLLBACK");
  }
}

Status SqliteTransaction::begin() {
  RECORDING_TRY(database_.execute("BEGIN IMMEDIATE"));
  open_ = true;
  return ok();
}

Status SqliteTransaction::commit() {
  RECORDING_TRY(database_.execute("COMMIT"));
  open_ = false;
  return ok();
}

}  // namespace recording::catalog
