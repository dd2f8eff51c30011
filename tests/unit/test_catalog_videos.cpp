#include <sqlite3.h>

#include <string>
#include <vector>

#include "catalog/sqlite_videos.hpp"
#include "test_catalog_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using catalog::VideoFilter;
using catalog::VideoPatch;
using catalog::VideoRow;
using test::open_catalog;
using test::TemporaryFolder;
using test::video_row;

std::vector<std::int64_t> ids_of(Result<std::vector<VideoRow>> rows) {
  std::vector<std::int64_t> ids;
  for (const VideoRow& row : rows.value()) {
    ids.push_back(row.id);
  }
  return ids;
}

using Ids = std::vector<std::int64_t>;

void gives_back_every_field(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  VideoRow row = video_row(5, "s5", 3, 1'800'000'000'123);
  row.name = "caf\xc3\xa9";
  row.status = "error";
  row.error = "too_short";
  row.duration_ms = 61'000;
  row.origin_size = std::int64_t{5} << 32;
  row.width = 1920;
  row.height = 1080;
  row.path = "live/cam/2026-11-23/s5";
  row.recording_ended_at = 1'800'000'061'123;
  row.transaction_id = "t";
  row.sequence = 2;
  row.last_sequence = false;
  row.uniform = false;
  row.recording_times = {{1000, 20.5}, {90000, 40.5}};
  row.client_user_id = 9;
  row.client_entity_data = "{}";
  auto put = rows->put_video(row);
  const VideoRow got = rows->video(5).value();
  const VideoRow by_slug = rows->video_by_slug("s5").value();
  assert_true(bool(put));
  assert_int_equal(by_slug.id, 5);
  assert_true(got.slug == "s5" && got.name == row.name && got.status == "error");
  assert_true(got.error == "too_short" && got.path == row.path && got.transaction_id == "t");
  assert_true(got.duration_ms == 61'000 && got.origin_size == row.origin_size);
  assert_true(got.width == 1920 && got.height == 1080 && got.stream_id == 3);
  assert_true(got.recording_started_at == row.recording_started_at);
  assert_true(got.recording_ended_at == row.recording_ended_at);
  assert_true(got.sequence == 2 && !got.last_sequence && !got.uniform);
  assert_int_equal(got.recording_times.size(), 2);
  assert_true(got.recording_times[1].started_at == 90000);
  assert_true(got.recording_times[1].duration_seconds == 40.5);
  assert_true(got.client_user_id == std::optional<std::int64_t>(9));
  assert_true(got.client_entity_data == "{}" && got.created_at != 0 && got.updated_at != 0);
}

void names_a_video_by_stream_and_end(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto stream = rows->ensure_stream("live", "cam\xff").value().id;
  VideoRow row = video_row(1, "s1", stream);
  row.status = "pending";
  (void)rows->put_video(row);
  const std::string before = rows->video(1).value().name;
  row.status = "viewable";
  row.recording_ended_at = 1'800'000'000'123;
  (void)rows->put_video(row);
  assert_string_equal(before.c_str(), "Stream Record: cam\xef\xbf\xbd");
  assert_string_equal(rows->video(1).value().name.c_str(),
                      "Stream Record: cam\xef\xbf\xbd, 2027-01-15T08:00:00Z");
}

void keeps_what_a_user_changed(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  VideoRow row = video_row(1, "s1");
  row.status = "pending";
  (void)rows->put_video(row);
  VideoPatch patch;
  patch.name = "Final";
  patch.client_user_id = std::optional<std::int64_t>(4);
  auto changed = rows->change_video(1, patch);
  row.status = "viewable";
  row.name = "from the recorder";
  row.duration_ms = 77;
  row.client_user_id = 1;
  row.client_entity_data = "from the recorder";
  (void)rows->put_video(row);
  const VideoRow got = rows->video(1).value();
  assert_string_equal(changed.value().name.c_str(), "Final");
  assert_string_equal(got.name.c_str(), "Final");
  assert_true(got.client_user_id == std::optional<std::int64_t>(4));
  assert_string_equal(got.client_entity_data.c_str(), "from the recorder");
  assert_int_equal(got.duration_ms, 77);
  assert_string_equal(got.status.c_str(), "viewable");
}

void a_late_pending_row_does_not_undo_the_outcome(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  VideoRow row = video_row(1, "s1");
  row.duration_ms = 500;
  (void)rows->put_video(row);
  row.status = "pending";
  row.duration_ms = 100;
  auto late = rows->put_video(row);
  assert_true(bool(late));
  assert_string_equal(rows->video(1).value().status.c_str(), "viewable");
  assert_int_equal(rows->video(1).value().duration_ms, 500);
}

void a_deleted_video_does_not_come_back(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  (void)rows->put_video(video_row(1, "s1"));
  auto deleted = rows->delete_video(1, {});
  auto late = rows->put_video(video_row(1, "s1"));
  auto twice = rows->delete_video(1, {});
  assert_string_equal(deleted.value().slug.c_str(), "s1");
  assert_true(bool(late));
  assert_int_equal(rows->video_by_slug("s1").error().code, Errc::kNotFound);
  assert_int_equal(twice.error().code, Errc::kNotFound);
  assert_true(rows->was_deleted("s1").value());
  assert_false(rows->was_deleted("s2").value());
}

// With the row, or not at all.
void a_deletion_is_told_in_its_transaction(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  (void)rows->put_video(video_row(1, "s1"));
  bool there = false;
  const auto tell = [&](const VideoRow& row) {
    there = bool(open_catalog(folder, false)->video(1));  // another connection sees nothing yet
    catalog::EventRow event;
    event.id = "e";
    event.body = "deleted " + row.slug;
    return catalog::Outbox{{event}, {"http://hook/"}};
  };
  assert_true(bool(rows->delete_video(1, tell)));
  assert_true(there);
  const auto delivery = rows->claim_delivery("http://hook/", 1000, 2000).value();
  assert_true(delivery && delivery->body == "deleted s1");
  assert_false(bool(rows->delete_video(1, tell)));
  assert_int_equal(rows->work_figures().value().deliveries_waiting, 1);
}

void files_of_deleted_videos_are_remembered_until_they_are_removed(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  VideoRow stored = video_row(1, "s1");
  stored.path = "live/cam/2026-11-26/s1";
  (void)rows->put_video(stored);
  VideoRow growing = video_row(2, "s2");
  growing.status = "pending";
  growing.path = "";
  (void)rows->put_video(growing);
  (void)rows->put_video(video_row(3, "s3"));
  (void)rows->delete_video(1, {});
  (void)rows->delete_video(2, {});
  auto left = rows->deleted_with_files(10).value();
  assert_int_equal(left.size(), 2);
  assert_true(rows->deleted_with_files(1).value().size() == 1);
  assert_true(bool(rows->files_removed("s1", stored.path)));
  assert_true(bool(rows->files_removed("s2", "")));
  assert_int_equal(rows->deleted_with_files(10).value().size(), 0);
  // It was moved to the storage while it was being deleted from the spool.
  growing.status = "ready";
  growing.path = "live/cam/2026-11-26/s2";
  assert_true(bool(rows->put_video(growing)));
  left = rows->deleted_with_files(10).value();
  assert_int_equal(left.size(), 1);
  assert_string_equal(left[0].slug.c_str(), "s2");
  assert_string_equal(left[0].path.c_str(), growing.path.c_str());
  assert_true(bool(rows->files_removed("s2", "")));  // of the spool, and late
  assert_int_equal(rows->deleted_with_files(10).value().size(), 1);
  assert_true(bool(rows->files_removed("s2", growing.path)));
  assert_int_equal(rows->deleted_with_files(10).value().size(), 0);
  assert_true(rows->was_deleted("s2").value());
}

void finds_those_that_ended_before(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  for (std::int64_t id = 1; id <= 6; ++id) {
    VideoRow row = video_row(id, "s" + std::to_string(id));
    row.recording_ended_at = 7000 - id * 1000;
    if (id == 3) {
      row.status = "pending";
    } else if (id == 4) {
      row.status = "error";
    } else if (id == 5) {
      row.recording_ended_at = 0;  // not known
    }
    (void)rows->put_video(row);
  }
  assert_true(rows->videos_ended_before(5000, 10).value() == std::vector<std::int64_t>({6, 4}));
  assert_true(rows->videos_ended_before(5001, 10).value() == std::vector<std::int64_t>({6, 4, 2}));
  assert_true(rows->videos_ended_before(9000, 2).value() == std::vector<std::int64_t>({6, 4}));
}

void leased_ids_are_given_once(void**) {
  TemporaryFolder folder;
  auto one = open_catalog(folder);
  auto two = open_catalog(folder);
  const auto first = one->lease_video_ids(16).value();
  const auto second = two->lease_video_ids(16).value();
  assert_int_equal(first.end - first.first, 16);
  assert_true(second.first >= first.end);
  assert_int_equal(one->lease_video_ids(0).error().code, Errc::kInvalidArgument);
}

void ids_of_an_earlier_catalogue_are_not_leased_again(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  (void)rows->put_video(video_row(41, "s41"));  // leased before the catalogue was lost
  const auto leased = rows->lease_video_ids(4).value();
  (void)rows->delete_video(41, {});
  const auto later = rows->lease_video_ids(4).value();
  assert_true(leased.first > 41);
  assert_true(later.first >= leased.end);
}

void a_row_without_a_free_id_gets_one(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  (void)rows->put_video(video_row(1, "s1"));
  auto none = rows->put_video(video_row(0, "s2"));
  auto taken = rows->put_video(video_row(1, "s3"));
  auto again = rows->put_video(video_row(0, "s3"));
  assert_true(bool(none) && bool(taken) && bool(again));
  const auto second = rows->video_by_slug("s2").value().id;
  const auto third = rows->video_by_slug("s3").value().id;
  assert_true(second > 1 && third > 1 && second != third);
  assert_string_equal(rows->video(1).value().slug.c_str(), "s1");
}

struct Listing {
  TemporaryFolder folder;
  std::unique_ptr<catalog::Catalog> rows = open_catalog(folder);

  Listing() {
    // id, started, stream, status, name
    put(1, 100, 1, "ready", "Morning show");
    put(2, 400, 1, "viewable", "Evening SHOW 100%");
    put(3, 300, 2, "ready", "a_b");
    put(4, 300, 2, "error", "axb");
    put(5, 200, 1, "ready", "caf\xc3\xa9");
  }
  void put(std::int64_t id, std::int64_t started, std::int64_t stream, const char* status,
           const char* name) {
    VideoRow row = video_row(id, "s" + std::to_string(id), stream, started);
    row.status = status;
    row.name = name;
    (void)rows->put_video(row);
  }
};

void lists_newest_first(void**) {
  Listing listing;
  VideoFilter page;
  page.offset = 1;
  page.limit = 3;
  const Ids all = ids_of(listing.rows->videos({}));
  const Ids middle = ids_of(listing.rows->videos(page));
  assert_true(all == Ids({2, 4, 3, 5, 1}));
  assert_true(middle == Ids({4, 3, 5}));
}

void filters_by_each_field_and_all_together(void**) {
  Listing listing;
  VideoFilter stream, status, ids, except, all;
  stream.stream_id = 2;
  status.status = "ready";
  ids.ids = {5, 1, 99};
  except.except = {2, 4};
  all.stream_id = 1;
  all.status = "ready";
  all.search = "caf";
  all.ids = {1, 5};
  all.except = {1};
  assert_true(ids_of(listing.rows->videos(stream)) == Ids({4, 3}));
  assert_true(ids_of(listing.rows->videos(status)) == Ids({3, 5, 1}));
  assert_true(ids_of(listing.rows->videos(ids)) == Ids({5, 1}));
  assert_true(ids_of(listing.rows->videos(except)) == Ids({3, 5, 1}));
  assert_true(ids_of(listing.rows->videos(all)) == Ids({5}));
}

void searches_any_part_of_the_name_literally(void**) {
  Listing listing;
  const auto search = [&](const char* text) {
    VideoFilter filter;
    filter.search = text;
    return ids_of(listing.rows->videos(filter));
  };
  assert_true(search("show") == Ids({2, 1}));
  assert_true(search("a_b") == Ids({3}));
  assert_true(search("0%") == Ids({2}));
  assert_true(search("\\").empty());
  assert_true(search("\xc3\xa9") == Ids({5}));
  assert_true(search("nothing like it").empty());
}

// The plans of a statement, one a line.
std::string plan_of(const std::string& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  sqlite3_stmt* statement = nullptr;
  std::string plan;
  const auto never = [](sqlite3_context*, int, sqlite3_value**) {};
  if (sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
      sqlite3_create_function_v2(handle, "has_text", 2, SQLITE_UTF8, nullptr, never, nullptr,
                                 nullptr, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(handle, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &statement, nullptr) ==
          SQLITE_OK) {
    while (sqlite3_step(statement) == SQLITE_ROW) {
      plan += reinterpret_cast<const char*>(sqlite3_column_text(statement, 3));
      plan += '\n';
    }
  }
  sqlite3_finalize(statement);
  sqlite3_close_v2(handle);
  return plan;
}

// Whatever is asked for, the rows are looked for in an index that has all that must be known of
// them, in the order wanted: nothing is sorted but the page, and the table is read for that alone.
void every_list_walks_one_index(void**) {
  TemporaryFolder folder;
  assert_non_null(open_catalog(folder).get());
  for (int filters = 0; filters < 16; ++filters) {
    VideoFilter filter;
    if ((filters & 8) != 0) {
      filter.client_user_id = 1;
    } else if ((filters & 1) != 0) {  // no index is for both
      filter.stream_id = 1;
    }
    filter.status = (filters & 2) != 0 ? "ready" : "";
    filter.search = (filters & 4) != 0 ? "part" : "";
    const std::string plan = plan_of(folder.catalog_path(), list_sql(filter));
    const std::size_t sorted = plan.find("TEMP B-TREE");
    if (plan.find("videos USING COVERING INDEX") == std::string::npos ||
        plan.find("TEMP B-TREE", sorted + 1) != std::string::npos) {
      fail_msg("filters %d:\n%s", filters, plan.c_str());
    }
  }
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(gives_back_every_field),
    cmocka_unit_test(names_a_video_by_stream_and_end),
    cmocka_unit_test(keeps_what_a_user_changed),
    cmocka_unit_test(a_late_pending_row_does_not_undo_the_outcome),
    cmocka_unit_test(a_deleted_video_does_not_come_back),
    cmocka_unit_test(a_deletion_is_told_in_its_transaction),
    cmocka_unit_test(files_of_deleted_videos_are_remembered_until_they_are_removed),
    cmocka_unit_test(finds_those_that_ended_before),
    cmocka_unit_test(leased_ids_are_given_once),
    cmocka_unit_test(ids_of_an_earlier_catalogue_are_not_leased_again),
    cmocka_unit_test(a_row_without_a_free_id_gets_one),
    cmocka_unit_test(lists_newest_first),
    cmocka_unit_test(filters_by_each_field_and_all_together),
    cmocka_unit_test(searches_any_part_of_the_name_literally),
    cmocka_unit_test(every_list_walks_one_index),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
