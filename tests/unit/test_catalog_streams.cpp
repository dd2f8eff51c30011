#include <string>
#include <thread>
#include <vector>

#include "test_catalog_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using catalog::StreamPatch;
using catalog::StreamRow;
using test::open_catalog;
using test::TemporaryFolder;

StreamRow stream(const std::string& app, const std::string& name) {
  StreamRow row;
  row.app = app;
  row.name = name;
  return row;
}

void keeps_any_bytes_of_a_name(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const std::string odd("a\xff\x00/%'\"\xc3", 8);
  auto added = rows->add_stream(stream("live", odd));
  auto cut_at_zero = rows->stream("live", odd.substr(0, 2));
  auto found = rows->stream("live", odd);
  assert_true(bool(added) && bool(found));
  assert_true(found.value().name == odd);
  assert_true(found.value().id == added.value().id);
  assert_false(bool(cut_at_zero));
  assert_int_equal(cut_at_zero.error().code, Errc::kNotFound);
}

void refuses_a_second_stream_of_the_same_name(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  auto first = rows->add_stream(stream("live", "cam"));
  auto same = rows->add_stream(stream("live", "cam"));
  auto other_app = rows->add_stream(stream("studio", "cam"));
  assert_true(bool(first) && bool(other_app));
  assert_int_equal(same.error().code, Errc::kConflict);
}

void ensure_gives_the_same_row_to_everybody(void**) {
  TemporaryFolder folder;
  auto one = open_catalog(folder);
  auto two = open_catalog(folder);
  auto first = one->ensure_stream("live", "cam");
  auto again = two->ensure_stream("live", "cam");
  auto listed = two->streams(0, 10);
  assert_true(bool(first) && bool(again));
  assert_true(first.value().id == again.value().id);
  assert_true(first.value().created_at > 1'600'000'000'000);
  assert_false(first.value().auto_record.has_value());
  assert_int_equal(listed.value().size(), 1);
}

void changes_only_what_the_patch_names(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  StreamRow row = stream("live", "cam");
  row.client_user_id = 7;
  row.client_entity_data = "{\"a\":1}";
  row.auto_record = true;
  const auto id = rows->add_stream(row).value().id;
  StreamPatch patch;
  patch.auto_record = std::optional<bool>(false);
  auto off = rows->change_stream(id, patch);
  patch.auto_record = std::optional<bool>();
  patch.client_user_id = std::optional<std::int64_t>();
  auto inherited = rows->change_stream(id, patch);
  auto missing = rows->change_stream(id + 1, patch);
  assert_true(off.value().auto_record == std::optional<bool>(false));
  assert_true(off.value().client_user_id == std::optional<std::int64_t>(7));
  assert_true(off.value().client_entity_data == "{\"a\":1}");
  assert_true(off.value().record_type == "origin");
  assert_false(inherited.value().auto_record.has_value());
  assert_false(inherited.value().client_user_id.has_value());
  assert_int_equal(missing.error().code, Errc::kNotFound);
}

void a_setting_is_there_after_opening_again(void**) {
  TemporaryFolder folder;
  std::int64_t id = 0;
  {
    auto rows = open_catalog(folder);
    id = rows->ensure_stream("live", "cam").value().id;
    StreamPatch patch;
    patch.auto_record = std::optional<bool>(true);
    (void)rows->change_stream(id, patch);
    (void)rows->begin_session({id, 1, 500});
    catalog::SessionRow ended;
    ended.stream_id = id;
    ended.id = 1;
    ended.started_at = 500;
    ended.ended_at = 900;
    (void)rows->end_session(ended);
  }
  auto rows = open_catalog(folder);
  auto row = rows->stream(id);
  assert_true(row.value().auto_record == std::optional<bool>(true));
  assert_int_equal(row.value().started_at, 500);
  assert_int_equal(row.value().finished_at, 900);
}

void the_id_of_a_deleted_stream_is_not_used_again(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto id = rows->ensure_stream("live", "cam").value().id;
  auto deleted = rows->delete_stream(id);
  auto twice = rows->delete_stream(id);
  auto anew = rows->ensure_stream("live", "cam");
  assert_true(bool(deleted));
  assert_int_equal(twice.error().code, Errc::kNotFound);
  assert_true(anew.value().id > id);
}

void lists_newest_first_in_pages(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(rows->ensure_stream("live", "cam" + std::to_string(i)).value().id);
  }
  auto page = rows->streams(1, 2);
  auto past_the_end = rows->streams(10, 2);
  assert_int_equal(page.value().size(), 2);
  assert_true(page.value()[0].id == ids[3] && page.value()[1].id == ids[2]);
  assert_int_equal(past_the_end.value().size(), 0);
}

void a_reader_waits_for_the_file_to_be_made(void**) {
  TemporaryFolder folder;
  auto too_early = catalog::open_sqlite_catalog(folder.catalog_path(), false);
  auto writer = open_catalog(folder);
  auto reader = open_catalog(folder, false);
  const auto id = writer->ensure_stream("live", "cam").value().id;
  assert_int_equal(too_early.error().code, Errc::kUnavailable);
  assert_non_null(reader.get());
  assert_true(reader->stream("live", "cam").value().id == id);
}

void a_reader_cannot_write(void**) {
  TemporaryFolder folder;
  auto writer = open_catalog(folder);
  auto reader = open_catalog(folder, false);
  auto added = reader->add_stream(stream("live", "cam"));
  assert_false(bool(added));
  assert_false(bool(writer->stream("live", "cam")));
}

void many_first_openers_make_one_schema(void**) {
  TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      auto rows = open_catalog(folder);
      good[static_cast<std::size_t>(i)] = rows && rows->ensure_stream("live", "cam") ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  auto rows = open_catalog(folder, false);
  assert_true(good == std::vector<int>({1, 1, 1, 1}));
  assert_int_equal(rows->streams(0, 10).value().size(), 1);
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(keeps_any_bytes_of_a_name),
    cmocka_unit_test(refuses_a_second_stream_of_the_same_name),
    cmocka_unit_test(ensure_gives_the_same_row_to_everybody),
    cmocka_unit_test(changes_only_what_the_patch_names),
    cmocka_unit_test(a_setting_is_there_after_opening_again),
    cmocka_unit_test(the_id_of_a_deleted_stream_is_not_used_again),
    cmocka_unit_test(lists_newest_first_in_pages),
    cmocka_unit_test(a_reader_waits_for_the_file_to_be_made),
    cmocka_unit_test(a_reader_cannot_write),
    cmocka_unit_test(many_first_openers_make_one_schema),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
