// What the file is, and what is said when it cannot be used.
#include <sqlite3.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "catalog/sqlite_database.hpp"
#include "test_catalog_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using test::open_catalog;
using test::TemporaryFolder;

void execute(const std::string& path, const char* sql) {
  sqlite3* handle = nullptr;
  sqlite3_open(path.c_str(), &handle);
  sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
  sqlite3_close(handle);
}

bool says(const std::string& message, const char* word) {
  return message.find(word) != std::string::npos;
}

void refuses_a_newer_schema(void**) {
  TemporaryFolder folder;
  (void)open_catalog(folder);
  execute(folder.catalog_path(), "PRAGMA user_version = 999");
  auto writer = catalog::open_sqlite_catalog(folder.catalog_path(), true);
  auto reader = catalog::open_sqlite_catalog(folder.catalog_path(), false);
  assert_int_equal(writer.error().code, Errc::kUnavailable);
  assert_int_equal(reader.error().code, Errc::kUnavailable);
  assert_true(says(writer.error().message, "version 999"));
  assert_true(says(writer.error().message, folder.catalog_path().c_str()));
}

void leaves_a_foreign_database_alone(void**) {
  TemporaryFolder folder;
  execute(folder.catalog_path(), "CREATE TABLE theirs (x)");
  auto writer = catalog::open_sqlite_catalog(folder.catalog_path(), true);
  auto database = catalog::SqliteDatabase::open(folder.catalog_path(), true);
  auto tables = database.value()->query_integer("SELECT count(*) FROM sqlite_master");
  assert_int_equal(writer.error().code, Errc::kInvalidArgument);
  assert_int_equal(tables.value(), 1);
}

void says_that_a_file_is_no_catalogue(void**) {
  TemporaryFolder folder;
  std::ofstream(folder.catalog_path()) << std::string(8192, 'x');
  auto writer = catalog::open_sqlite_catalog(folder.catalog_path(), true);
  assert_int_equal(writer.error().code, Errc::kCorrupt);
}

void a_reader_waits_for_a_file_that_is_being_made(void**) {
  TemporaryFolder folder;
  std::thread first([&folder] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    (void)open_catalog(folder);
  });
  auto reader = catalog::open_sqlite_catalog(folder.catalog_path(), false);
  first.join();
  assert_true(static_cast<bool>(reader));
}

void says_that_the_folder_is_missing(void**) {
  TemporaryFolder folder;
  auto writer = catalog::open_sqlite_catalog(folder.path() + "/no/such/catalog.db", true);
  assert_int_equal(writer.error().code, Errc::kUnavailable);
  assert_true(says(writer.error().message, "folder"));
  assert_int_equal(writer.error().sys_errno, ENOENT);
}

// A power cut takes nothing that was answered, and a reader does not wait for a writer.
void is_synced_and_read_while_written(void**) {
  TemporaryFolder folder;
  auto writer = open_catalog(folder);
  (void)writer->ensure_stream("live", "cam");
  auto other = catalog::SqliteDatabase::open(folder.catalog_path(), true);
  catalog::SqliteTransaction transaction(*other.value());
  auto begun = transaction.begin();
  auto reader = open_catalog(folder, false);
  auto mode = other.value()->query_text("PRAGMA journal_mode");
  assert_true(bool(begun));
  assert_non_null(reader.get());
  assert_true(bool(reader->stream("live", "cam")));
  assert_string_equal(mode.value().c_str(), "wal");
}

// As all files of ours: names of streams and what users wrote are not for everybody.
void others_cannot_read_it(void**) {
  TemporaryFolder folder;
  const mode_t before = ::umask(022);
  auto rows = open_catalog(folder);
  ::umask(before);
  (void)rows->ensure_stream("live", "cam");
  for (const char* name : {"", "-wal", "-shm"}) {
    struct stat status {};
    assert_int_equal(::stat((folder.catalog_path() + name).c_str(), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
  }
}

void a_transaction_that_is_not_committed_leaves_nothing(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  auto database = catalog::SqliteDatabase::open(folder.catalog_path(), true);
  {
    catalog::SqliteTransaction transaction(*database.value());
    (void)transaction.begin();
    (void)database.value()->execute("INSERT INTO deleted_videos VALUES ('s', 1, NULL)");
  }
  assert_false(rows->was_deleted("s").value());
}

void an_earlier_catalogue_is_brought_up_to_date(void**) {
  TemporaryFolder folder;
  (void)open_catalog(folder);
  for (const char* sql :
       {"DROP INDEX videos_by_end", "DROP INDEX videos_of_client",
        "DROP INDEX deleted_videos_with_files", "ALTER TABLE deleted_videos DROP COLUMN path",
        "DROP TABLE sessions", "DROP TABLE jobs", "DROP TABLE renditions", "DROP TABLE events",
        "DROP TABLE deliveries", "ALTER TABLE videos DROP COLUMN poster",
        "ALTER TABLE videos DROP COLUMN screenshots", "ALTER TABLE videos DROP COLUMN sprite",
        "DELETE FROM counters WHERE name <> 'video_id'", "PRAGMA user_version = 1",
        "INSERT INTO deleted_videos VALUES ('s', 1)"}) {
    execute(folder.catalog_path(), sql);
  }
  auto rows = open_catalog(folder);
  assert_true(rows->was_deleted("s").value());
  assert_int_equal(rows->deleted_with_files(10).value().size(), 0);
  assert_int_equal(rows->videos_ended_before(1, 10).value().size(), 0);
}

void a_full_disk_is_told_and_got_over(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  auto database = catalog::SqliteDatabase::open(folder.catalog_path(), true);
  auto pages = database.value()->query_integer("PRAGMA page_count");
  (void)database.value()->query_integer("PRAGMA max_page_count = " + std::to_string(pages.value()));
  auto full = database.value()->execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
      " INSERT INTO deleted_videos SELECT hex(randomblob(2000)), i, NULL FROM n");
  assert_int_equal(full.error().code, Errc::kNoSpace);
  assert_true(database.value()->usable());
  assert_true(says(full.error().message, "full"));
}

void a_read_only_file_wants_another_connection(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  auto reader = open_catalog(folder, false);
  const bool before = reader->usable();
  auto written = reader->ensure_stream("live", "cam");
  assert_true(before);
  assert_int_equal(written.error().code, Errc::kUnavailable);
  assert_false(reader->usable());
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(refuses_a_newer_schema),
    cmocka_unit_test(leaves_a_foreign_database_alone),
    cmocka_unit_test(says_that_a_file_is_no_catalogue),
    cmocka_unit_test(a_reader_waits_for_a_file_that_is_being_made),
    cmocka_unit_test(says_that_the_folder_is_missing),
    cmocka_unit_test(is_synced_and_read_while_written),
    cmocka_unit_test(others_cannot_read_it),
    cmocka_unit_test(a_transaction_that_is_not_committed_leaves_nothing),
    cmocka_unit_test(an_earlier_catalogue_is_brought_up_to_date),
    cmocka_unit_test(a_full_disk_is_told_and_got_over),
    cmocka_unit_test(a_read_only_file_wants_another_connection),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
