// The outbox: what waits for which webhook, in which order.
#include <string>
#include <vector>

#include "catalog/sqlite_database.hpp"
#include "test_catalog_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using catalog::Catalog;
using catalog::Delivery;
using catalog::EventRow;
using test::open_catalog;
using test::TemporaryFolder;

const std::string kHook = "http://127.0.0.1:1/a";
const std::string kOther = "http://127.0.0.1:1/b";

EventRow event(const std::string& id, const std::string& stream, std::int64_t created_at = 1000) {
  EventRow row;
  row.id = id;
  row.app = "live";
  row.stream = stream;
  row.created_at = created_at;
  row.body = "{\"id\":\"" + id + "\"}";
  return row;
}

// What the webhook gets when it takes everything: the bodies' ids.
std::string drain(Catalog& rows, const std::string& webhook, std::int64_t now = 5000) {
  std::string told;
  for (;;) {
    auto next = rows.claim_delivery(webhook, now, now + 100);
    assert_true(bool(next));
    if (!next.value()) {
      return told;
    }
    told += next.value()->body.substr(7, next.value()->body.size() - 9) + " ";
    assert_true(bool(rows.delivered(webhook, *next.value())));
  }
}

void each_webhook_gets_each_event_once_in_order(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  assert_true(bool(rows->add_events({event("1", "a"), event("2", "b")}, {kHook, kOther})));
  assert_true(bool(rows->add_events({event("3", "a")}, {kHook, kOther})));
  assert_int_equal(rows->work_figures().value().deliveries_waiting, 6);
  assert_string_equal(drain(*rows, kHook).c_str(), "1 2 3 ");
  assert_string_equal(drain(*rows, kHook).c_str(), "");
  assert_int_equal(rows->work_figures().value().deliveries_waiting, 3);
  assert_string_equal(drain(*rows, kOther).c_str(), "1 2 3 ");
}

void what_fails_holds_up_its_own_stream_alone(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  assert_true(
      bool(rows->add_events({event("1", "a"), event("2", "a"), event("3", "b")}, {kHook, kOther})));
  const Delivery first = rows->claim_delivery(kHook, 5000, 9000).value().value();
  assert_int_equal(first.attempts, 0);
  assert_true(bool(rows->delivery_failed(kHook, first, 7000, "it answered 503")));
  assert_string_equal(drain(*rows, kHook).c_str(), "3 ");
  assert_string_equal(drain(*rows, kOther).c_str(), "1 2 3 ");
  assert_false(rows->claim_delivery(kHook, 6999, 9000).value().has_value());
  const Delivery again = rows->claim_delivery(kHook, 7000, 9000).value().value();
  assert_int_equal(again.attempts, 1);
  assert_int_equal(again.event, first.event);
  assert_true(bool(rows->delivered(kHook, again)));
  assert_string_equal(drain(*rows, kHook, 7000).c_str(), "2 ");
}

// Who has claimed it died.
void what_is_claimed_is_nobody_elses_for_a_while(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  auto elsewhere = open_catalog(folder);
  assert_true(bool(rows->add_events({event("1", "a"), event("2", "a")}, {kHook})));
  assert_true(rows->claim_delivery(kHook, 5000, 9000).value().has_value());
  assert_false(elsewhere->claim_delivery(kHook, 8999, 9999).value().has_value());
  assert_string_equal(drain(*elsewhere, kHook, 9000).c_str(), "1 2 ");
}

void the_same_event_is_told_once(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  assert_true(bool(rows->add_events({event("1", "a"), event("1", "a")}, {kHook})));
  assert_string_equal(drain(*rows, kHook).c_str(), "1 ");
  assert_true(bool(rows->add_events({event("1", "a"), event("2", "a")}, {kHook})));
  assert_string_equal(drain(*rows, kHook).c_str(), "2 ");
}

// Some events know their stream by its id alone.
void a_stream_is_the_same_by_name_and_by_id(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  auto stream = rows->ensure_stream("live", "a");
  EventRow by_id = event("2", "");
  by_id.app = "";
  by_id.stream_id = stream.value().id;
  EventRow of_none = event("3", "");
  of_none.app = "";
  assert_true(bool(rows->add_events({event("1", "a"), by_id, of_none}, {kHook})));
  const Delivery first = rows->claim_delivery(kHook, 5000, 9000).value().value();
  assert_true(bool(rows->delivery_failed(kHook, first, 9000, "it answered 503")));
  assert_string_equal(drain(*rows, kHook).c_str(), "3 ");
  assert_string_equal(drain(*rows, kHook, 9000).c_str(), "1 2 ");
}

void what_is_too_old_is_given_up(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  assert_true(bool(rows->add_events({event("1", "a", 1000), event("2", "a", 2000)}, {kHook})));
  assert_int_equal(rows->prune_events(2000).value(), 1);
  assert_string_equal(drain(*rows, kHook).c_str(), "2 ");
  assert_int_equal(rows->prune_events(9000).value(), 0);
  const catalog::WorkFigures figures = rows->work_figures().value();
  assert_true(figures.delivered == 1 && figures.given_up == 1 && figures.not_taken == 0);
  // Forgotten: it may be told again.
  assert_true(bool(rows->add_events({event("2", "a", 2000)}, {kHook})));
  assert_string_equal(drain(*rows, kHook).c_str(), "2 ");
}

// It was set back while something waited.
void a_clock_that_was_wrong_holds_up_nothing(void**) {
  constexpr std::int64_t kDay = 86'400'000;
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  assert_true(bool(rows->add_events({event("1", "a"), event("2", "b")}, {kHook})));
  const Delivery failed = rows->claim_delivery(kHook, kDay, kDay + 60'000).value().value();
  assert_true(bool(rows->delivery_failed(kHook, failed, kDay + 900'000, "it answered 503")));
  assert_true(rows->claim_delivery(kHook, kDay, kDay + 60'000).value().has_value());
  assert_string_equal(drain(*rows, kHook, kDay).c_str(), "");
  assert_string_equal(drain(*rows, kHook, 5000).c_str(), "1 2 ");
}

// Who looks whether there is something holds up nobody who writes, and waits for nobody.
void to_find_nothing_takes_no_lock(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  assert_true(bool(rows->add_events({event("1", "a"), event("2", "a")}, {kHook})));
  assert_true(rows->claim_delivery(kHook, 5000, 9000).value().has_value());
  auto other = catalog::SqliteDatabase::open(folder.catalog_path(), true);
  catalog::SqliteTransaction writing(*other.value());
  assert_true(bool(writing.begin()));
  auto found = rows->claim_delivery(kHook, 6000, 9000);
  assert_true(found && !found.value());
}

void what_was_behind_comes_to_the_front(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  assert_true(bool(rows->add_events(
      {event("1", "a", 1000), event("2", "a", 2000), event("3", "a", 3000), event("4", "b", 3000)},
      {kHook, kOther})));
  const Delivery first = rows->claim_delivery(kHook, 5000, 9000).value().value();
  assert_int_equal(rows->prune_events(1500).value(), 2);
  assert_string_equal(drain(*rows, kOther).c_str(), "2 3 4 ");
  assert_true(bool(rows->delivered(kHook, first)));  // it was under way
  assert_string_equal(drain(*rows, kHook).c_str(), "2 3 4 ");
}

// Else it would stay, and who came later would not be told what happened before.
void what_nobody_is_to_be_told_is_not_kept(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  assert_true(bool(rows->add_events({event("1", "a")}, {})));
  auto database = catalog::SqliteDatabase::open(folder.catalog_path(), true);
  assert_int_equal(database.value()->query_integer("SELECT count(*) FROM events").value(), 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_webhook_gets_each_event_once_in_order),
      cmocka_unit_test(what_fails_holds_up_its_own_stream_alone),
      cmocka_unit_test(what_is_claimed_is_nobody_elses_for_a_while),
      cmocka_unit_test(the_same_event_is_told_once),
      cmocka_unit_test(a_stream_is_the_same_by_name_and_by_id),
      cmocka_unit_test(what_is_too_old_is_given_up),
      cmocka_unit_test(a_clock_that_was_wrong_holds_up_nothing),
      cmocka_unit_test(to_find_nothing_takes_no_lock),
      cmocka_unit_test(what_was_behind_comes_to_the_front),
      cmocka_unit_test(what_nobody_is_to_be_told_is_not_kept),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
