// Jobs of the catalogue: leased, taken over, tried again, cancelled, and ended exactly once.
#include <string>
#include <vector>

#include "catalog/wall_time.hpp"
#include "test_catalog_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using catalog::Catalog;
using catalog::JobEnd;
using catalog::Lease;
using catalog::RenditionRow;
using test::open_catalog;
using test::TemporaryFolder;
using test::video_row;

constexpr std::int64_t kLease = 60'000;

RenditionRow wanted(const std::string& name) {
  RenditionRow row;
  row.name = name;
  row.video_bps = 1000;
  row.audio_bps = 500;
  return row;
}

// A catalogue with one viewable video, "a" of id 1. Due times are of the real clock.
struct Fixture {
  Fixture() : rows(open_catalog(folder)) { put(1, "a"); }
  void put(std::int64_t id, const std::string& slug, const std::string& status = "viewable") {
    catalog::VideoRow row = video_row(id, slug);
    row.status = status;
    put_ok = static_cast<bool>(rows->put_video(row));
  }
  std::optional<Lease> lease(const std::string& holder = "me", std::int64_t later = 1) {
    const std::int64_t now = catalog::wall_time_ms() + later;
    auto leased = rows->lease_job(holder, now, now + kLease);
    return leased ? std::move(leased).value() : std::nullopt;
  }
  std::vector<RenditionRow> begin(const Lease& lease, const std::vector<std::string>& names) {
    std::vector<RenditionRow> list;
    for (const std::string& name : names) {
      list.push_back(wanted(name));
    }
    return rows->begin_job(lease.id, list).value();
  }
  JobEnd complete(std::vector<RenditionRow> made) {
    JobEnd end;
    for (RenditionRow& row : made) {
      row.status = "complete";
      row.width = 640;
      row.height = 360;
      row.size = 1234;
    }
    end.renditions = std::move(made);
    end.pictures = {true, 3, true};
    end.took_ms = 100;
    return end;
  }
  static JobEnd failed(std::vector<RenditionRow> tried, std::int64_t retry_at) {
    JobEnd end;
    for (RenditionRow& row : tried) {
      row.error = "no luck";
    }
    end.renditions = std::move(tried);
    end.error = "no luck";
    end.retry_at = retry_at;
    return end;
  }
  Result<catalog::VideoRow> end(const std::string& lease, const JobEnd& how) {
    return rows->end_job(lease, how);
  }
  std::vector<RenditionRow> renditions() { return rows->renditions({"a"}).value(); }

  TemporaryFolder folder;
  std::unique_ptr<Catalog> rows;
  bool put_ok = false;
};

void a_viewable_video_has_a_job_and_others_have_none(void**) {
  Fixture f;
  f.put(2, "b", "pending");
  f.put(3, "c", "error");
  const auto lease = f.lease();
  const bool second = f.lease().has_value();
  assert_true(lease && lease->video.slug == "a" && lease->video.id == 1);
  assert_int_equal(lease->failures, 0);
  assert_false(second);
}

void a_lease_holds_until_its_end_and_longer_when_extended(void**) {
  Fixture f;
  const auto lease = f.lease();
  const bool before = f.lease("other", kLease - 1000).has_value();
  const bool extended =
      static_cast<bool>(f.rows->extend_job(lease->id, catalog::wall_time_ms() + 2 * kLease, 7));
  const bool still = f.lease("other", kLease + 1000).has_value();
  const auto taken = f.lease("other", 2 * kLease + 1000);
  assert_true(!before && extended && !still && taken);
  assert_int_equal(taken->deaths, 1);
  // Whoever had it learns of it, and can do nothing more.
  assert_true(f.rows->extend_job(lease->id, 0, 9).error().code == Errc::kNotFound);
  assert_true(f.end(lease->id, {}).error().code == Errc::kNotFound);
  assert_true(f.rows->give_back_job(lease->id).error().code == Errc::kNotFound);
}

void a_dead_holder_s_jobs_are_due_at_once(void**) {
  Fixture f;
  const auto lease = f.lease("dead");
  assert_true(bool(f.rows->end_leases_of("somebody else")));
  assert_false(f.lease("heir").has_value());
  assert_true(bool(f.rows->end_leases_of("dead")));
  assert_false(f.rows->is_leased(lease->id, catalog::wall_time_ms()).value());
  const auto taken = f.lease("heir");
  assert_true(taken && taken->deaths == 1 && taken->id != lease->id);
}

void a_job_that_is_given_back_counts_nothing(void**) {
  Fixture f;
  const auto lease = f.lease();
  assert_true(bool(f.rows->give_back_job(lease->id)));
  const auto next = f.lease();
  assert_true(next && next->deaths == 0 && next->failures == 0);
}

void a_clock_that_was_wrong_does_not_hold_up_a_job(void**) {
  Fixture f;
  const std::int64_t wrong = catalog::wall_time_ms() + std::int64_t{400} * 86'400'000;
  auto leased = f.rows->lease_job("me", wrong, wrong + kLease);
  assert_true(leased.value().has_value());
  assert_true(f.lease("other").has_value());
}

void ends_with_all_its_renditions_in_one_transaction(void**) {
  Fixture f;
  const auto lease = f.lease();
  const auto rows = f.begin(*lease, {"720p", "480p"});
  (void)f.rows->extend_job(lease->id, catalog::wall_time_ms() + kLease, 42);
  const auto during = f.renditions();
  std::string status_inside;
  JobEnd end = f.complete(rows);
  end.tell = [&](const catalog::VideoRow&) {
    // Another connection sees nothing of it yet.
    status_inside = open_catalog(f.folder, false)->video(1).value().status;
    return catalog::Outbox();
  };
  auto ended = f.end(lease->id, end);
  const auto after = f.renditions();
  const auto video = f.rows->video(1).value();
  assert_int_equal(rows.size(), 2);
  assert_true(during[0].status == "processing" && during[0].progress == 42);
  assert_string_equal(status_inside.c_str(), "viewable");
  assert_true(ended && ended.value().status == "ready" && video.status == "ready");
  assert_true(video.pictures.poster && video.pictures.screenshots == 3 && video.pictures.sprite);
  assert_true(after.size() == 2 && after[1].name == "480p" && after[1].status == "complete");
  assert_true(after[0].progress == 100 && after[0].size == 1234 && after[0].video_bps == 1000);
  // Not a second time.
  assert_true(f.end(lease->id, f.complete(rows)).error().code == Errc::kNotFound);
  assert_false(f.lease("me", 3'600'000).has_value());
  const auto figures = f.rows->work_figures().value();
  assert_true(figures.done == 1 && figures.processing_ms == 100 && figures.running == 0 &&
              figures.waiting == 0);
}

void a_failure_is_tried_again_later_and_then_given_up_with_words(void**) {
  Fixture f;
  auto lease = f.lease();
  auto rows = f.begin(*lease, {"720p"});
  auto ended = f.end(lease->id, Fixture::failed(rows, catalog::wall_time_ms() + 10'000));
  const auto waiting = f.renditions();
  assert_true(ended && ended.value().status == "viewable" && ended.value().error.empty());
  assert_true(waiting[0].status == "processing" && waiting[0].error == "no luck");
  assert_false(f.lease().has_value());
  lease = f.lease("me", 11'000);
  assert_true(lease && lease->failures == 1 && lease->deaths == 0);
  rows = f.begin(*lease, {"720p"});
  ended = f.end(lease->id, Fixture::failed(rows, 0));
  assert_true(ended && ended.value().status == "viewable");
  assert_string_equal(ended.value().error.c_str(), "processing_failed: 720p: no luck");
  assert_string_equal(f.renditions()[0].status.c_str(), "error");
  assert_false(f.lease("me", 3'600'000).has_value());
  assert_int_equal(f.rows->work_figures().value().failed, 1);
}

void what_was_made_is_there_though_the_rest_failed(void**) {
  Fixture f;
  const auto lease = f.lease();
  auto rows = f.begin(*lease, {"720p", "480p"});
  JobEnd end = f.complete({rows[0]});
  end.renditions.push_back(rows[1]);
  end.renditions[1].error = end.error = "too hard";
  const auto ended = f.end(lease->id, end);
  const auto after = f.renditions();
  assert_true(bool(Result(ended)));
  assert_true(after[0].status == "complete" && after[1].status == "error");
  // Asked for once more it is made, and the video ready.
  assert_true(f.rows->ask_rendition(1, wanted("480p")).value());
  const auto again = f.lease();
  rows = f.begin(*again, {"720p", "480p"});
  assert_true(rows.size() == 1 && rows[0].name == "480p");
  auto ready = f.end(again->id, f.complete(rows));
  assert_true(ready.value().status == "ready" && ready.value().error.empty());
}

void one_more_is_asked_for(void**) {
  Fixture f;
  auto lease = f.lease();
  (void)f.end(lease->id, f.complete(f.begin(*lease, {"720p"})));
  const bool asked = f.rows->ask_rendition(1, wanted("480p")).value();
  const bool twice = f.rows->ask_rendition(1, wanted("480p")).value();
  const bool there = f.rows->ask_rendition(1, wanted("720p")).value();
  const std::string status = f.rows->video(1).value().status;
  lease = f.lease();
  const auto rows = f.begin(*lease, {"720p"});
  auto ended = f.end(lease->id, f.complete(rows));
  assert_true(asked && !twice && !there);
  assert_string_equal(status.c_str(), "viewable");
  assert_true(rows.size() == 1 && rows[0].name == "480p");
  assert_string_equal(ended.value().status.c_str(), "ready");
  assert_true(f.rows->ask_rendition(9, wanted("480p")).error().code == Errc::kNotFound);
  f.put(2, "b", "pending");
  assert_true(f.rows->ask_rendition(2, wanted("480p")).error().code == Errc::kConflict);
}

void one_that_is_asked_for_meanwhile_is_made_next(void**) {
  Fixture f;
  auto lease = f.lease();
  const auto rows = f.begin(*lease, {"720p"});
  assert_true(f.rows->ask_rendition(1, wanted("480p")).value());
  auto ended = f.end(lease->id, f.complete(rows));
  assert_string_equal(ended.value().status.c_str(), "viewable");
  lease = f.lease();
  const auto left = f.begin(*lease, {"720p"});
  assert_true(left.size() == 1 && left[0].name == "480p");
  assert_string_equal(f.end(lease->id, f.complete(left)).value().status.c_str(), "ready");
}

void a_deleted_video_cancels_its_job(void**) {
  Fixture f;
  const auto lease = f.lease();
  const auto rows = f.begin(*lease, {"720p"});
  assert_true(bool(f.rows->delete_video(1, {})));
  assert_true(f.end(lease->id, f.complete(rows)).error().code == Errc::kNotFound);
  assert_true(f.rows->extend_job(lease->id, 0, 1).error().code == Errc::kNotFound);
  assert_true(f.renditions().empty());
  // The recorder tells of it once more: nothing comes back.
  f.put(1, "a");
  assert_false(f.lease().has_value());
}

void an_outcome_told_twice_makes_no_second_job(void**) {
  Fixture f;
  auto lease = f.lease();
  (void)f.end(lease->id, f.complete(f.begin(*lease, {"720p"})));
  f.put(1, "a");
  const auto video = f.rows->video(1).value();
  assert_string_equal(video.status.c_str(), "ready");
  assert_true(video.pictures.poster);
  assert_false(f.lease("me", 3'600'000).has_value());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_viewable_video_has_a_job_and_others_have_none),
      cmocka_unit_test(a_lease_holds_until_its_end_and_longer_when_extended),
      cmocka_unit_test(a_dead_holder_s_jobs_are_due_at_once),
      cmocka_unit_test(a_job_that_is_given_back_counts_nothing),
      cmocka_unit_test(a_clock_that_was_wrong_does_not_hold_up_a_job),
      cmocka_unit_test(ends_with_all_its_renditions_in_one_transaction),
      cmocka_unit_test(a_failure_is_tried_again_later_and_then_given_up_with_words),
      cmocka_unit_test(what_was_made_is_there_though_the_rest_failed),
      cmocka_unit_test(one_more_is_asked_for),
      cmocka_unit_test(one_that_is_asked_for_meanwhile_is_made_next),
      cmocka_unit_test(a_deleted_video_cancels_its_job),
      cmocka_unit_test(an_outcome_told_twice_makes_no_second_job),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
