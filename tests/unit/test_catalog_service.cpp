#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog_service.hpp"
#include "support/inline_executor.hpp"
#include "test_catalog_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using catalog::Catalog;
using catalog::CatalogService;
using test::InlineExecutor;
using test::QueuedExecutor;
using test::TemporaryFolder;

CatalogService::Opener opener(const TemporaryFolder& folder, int* opened = nullptr) {
  return [path = folder.catalog_path(), opened](bool writer) {
    if (opened != nullptr) {
      ++*opened;
    }
    return catalog::open_sqlite_catalog(path, writer);
  };
}

auto ensure(const char* name) {
  return [name](Catalog& rows) { return rows.ensure_stream("live", name); };
}

void what_was_written_is_read(void**) {
  TemporaryFolder folder;
  InlineExecutor executor;
  CatalogService service(executor, opener(folder), 2);
  service.open();
  std::int64_t written = 0, read = 0;
  service.write(ensure("cam"),
                [&](Result<catalog::StreamRow> row) { written = row ? row.value().id : -1; });
  service.read([](Catalog& rows) { return rows.stream("live", "cam"); },
               [&](Result<catalog::StreamRow> row) { read = row ? row.value().id : -1; });
  assert_true(written > 0);
  assert_true(read == written);
}

void writes_go_one_after_the_other_in_order(void**) {
  TemporaryFolder folder;
  QueuedExecutor executor;
  CatalogService service(executor, opener(folder), 2);
  std::vector<int> order;
  std::size_t most_at_once = 0;
  for (int i = 0; i < 5; ++i) {
    service.write(
        [&order, i](Catalog&) -> Status {
          order.push_back(i);
          return ok();
        },
        [&order, i](const Status&) { order.push_back(i + 100); });
    most_at_once = std::max(most_at_once, executor.waiting());
  }
  executor.drain();
  assert_int_equal(most_at_once, 1);
  assert_true(order == std::vector<int>({0, 100, 1, 101, 2, 102, 3, 103, 4, 104}));
}

void reads_run_side_by_side_and_beside_a_write(void**) {
  TemporaryFolder folder;
  QueuedExecutor executor;
  CatalogService service(executor, opener(folder), 2);
  int answers = 0;
  const auto look = [](Catalog&) -> Status { return ok(); };
  const auto count = [&](const Status&) { ++answers; };
  service.write(look, count);
  for (int i = 0; i < 4; ++i) {
    service.read(look, count);
  }
  const std::size_t at_once = executor.waiting();
  executor.drain();
  assert_int_equal(at_once, 3);
  assert_int_equal(answers, 5);
}

void connections_are_opened_once_and_kept(void**) {
  TemporaryFolder folder;
  InlineExecutor executor;
  int opened = 0;
  CatalogService service(executor, opener(folder, &opened), 2);
  const int before = opened;
  service.open();
  const int after_open = opened;
  for (int i = 0; i < 5; ++i) {
    service.write(ensure("cam"), [](const Result<catalog::StreamRow>&) {});
    service.read([](Catalog& rows) { return rows.streams(0, 1); },
                 [](const Result<std::vector<catalog::StreamRow>>&) {});
  }
  assert_int_equal(before, 0);
  assert_true(after_open >= 2);
  assert_int_equal(opened, after_open);
}

void an_unreachable_catalogue_is_tried_again_with_the_next_call(void**) {
  TemporaryFolder folder;
  InlineExecutor executor;
  bool reachable = false;
  CatalogService service(
      executor,
      [&](bool writer) -> Result<std::unique_ptr<Catalog>> {
        if (!reachable) {
          return Error{Errc::kUnavailable, "away"};
        }
        return catalog::open_sqlite_catalog(folder.catalog_path(), writer);
      },
      1);
  service.open();
  Errc first = Errc::kInternal;
  bool second = false;
  service.write(ensure("cam"), [&](Result<catalog::StreamRow> row) {
    first = row ? Errc::kInternal : row.error().code;
  });
  reachable = true;
  service.write(ensure("cam"), [&](Result<catalog::StreamRow> row) { second = bool(row); });
  assert_int_equal(first, Errc::kUnavailable);
  assert_true(second);
}

void a_broken_connection_is_replaced(void**) {
  TemporaryFolder folder;
  InlineExecutor executor;
  int opened = 0;
  CatalogService service(executor, opener(folder, &opened), 1);
  service.open();
  // A write on a reader's connection makes it unusable.
  bool refused = false, works = false;
  service.read(ensure("cam"), [&](Result<catalog::StreamRow> row) { refused = !row; });
  const int before = opened;
  service.read([](Catalog& rows) { return rows.streams(0, 1); },
               [&](Result<std::vector<catalog::StreamRow>> rows) { works = bool(rows); });
  assert_true(refused && works);
  assert_int_equal(opened, before + 1);
}

void a_full_pool_is_answered(void**) {
  TemporaryFolder folder;
  InlineExecutor executor;
  CatalogService service(executor, opener(folder), 1);
  executor.set_full(true);
  Errc code = Errc::kInternal;
  service.write(ensure("cam"), [&](Result<catalog::StreamRow> row) {
    code = row ? Errc::kInternal : row.error().code;
  });
  executor.set_full(false);
  bool later = false;
  service.write(ensure("cam"), [&](Result<catalog::StreamRow> row) { later = bool(row); });
  assert_int_equal(code, Errc::kUnavailable);
  assert_true(later);
}

void calls_do_not_pile_up_without_end(void**) {
  TemporaryFolder folder;
  QueuedExecutor executor;
  // A reader waits for the file to be made.
  assert_true(bool(catalog::open_sqlite_catalog(folder.catalog_path(), true)));
  CatalogService service(executor, opener(folder), 1);
  int refused = 0, answered = 0;
  for (int i = 0; i < 5000; ++i) {
    service.read([](Catalog& rows) { return rows.streams(0, 1); },
                 [&](Result<std::vector<catalog::StreamRow>> rows) {
                   ++answered;
                   refused += !rows && rows.error().code == Errc::kUnavailable;
                 });
  }
  const int refused_at_once = refused;
  executor.drain();
  assert_true(refused_at_once > 3000);
  assert_int_equal(answered, 5000);
}

void nothing_is_called_after_the_service_is_gone(void**) {
  TemporaryFolder folder;
  QueuedExecutor executor;
  int answers = 0;
  {
    CatalogService service(executor, opener(folder), 1);
    for (int i = 0; i < 3; ++i) {
      service.write(ensure("cam"), [&](const Result<catalog::StreamRow>&) { ++answers; });
      service.read([](Catalog& rows) { return rows.streams(0, 1); },
                   [&](const Result<std::vector<catalog::StreamRow>>&) { ++answers; });
    }
    executor.run_one();
  }
  executor.drain();
  assert_int_equal(answers, 0);
}

void an_answer_may_destroy_the_service(void**) {
  TemporaryFolder folder;
  InlineExecutor executor;
  auto service = std::make_unique<CatalogService>(executor, opener(folder), 1);
  service->write(ensure("cam"), [&](const Result<catalog::StreamRow>&) { service.reset(); });
  assert_null(service.get());
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(what_was_written_is_read),
    cmocka_unit_test(writes_go_one_after_the_other_in_order),
    cmocka_unit_test(reads_run_side_by_side_and_beside_a_write),
    cmocka_unit_test(connections_are_opened_once_and_kept),
    cmocka_unit_test(an_unreachable_catalogue_is_tried_again_with_the_next_call),
    cmocka_unit_test(a_broken_connection_is_replaced),
    cmocka_unit_test(a_full_pool_is_answered),
    cmocka_unit_test(calls_do_not_pile_up_without_end),
    cmocka_unit_test(nothing_is_called_after_the_service_is_gone),
    cmocka_unit_test(an_answer_may_destroy_the_service),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
