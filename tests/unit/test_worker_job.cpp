// One job of recording-worker, from its lease to its end: what is then in the catalogue, in the
// video's folder and in the outbox. The processor is a fake, the rest is real.
#include <string>
#include <vector>

#include "test_worker_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using catalog::RenditionRow;
using catalog::VideoRow;
using processing::Observer;
using processing::Order;
using processing::Outcome;
using test::has;
using test::kSlug;
using Fixture = test::JobFixture;

void what_was_made_is_published_and_told(void**) {
  Fixture f;
  f.run();
  const Order& order = f.processor.orders.at(0);
  assert_string_equal(f.processor.asked_of.c_str(), (f.video_folder + "/source.mp4").c_str());
  assert_string_equal(order.source.c_str(), (f.video_folder + "/source.mp4").c_str());
  assert_true(order.pictures && order.renditions.size() == 2);
  assert_int_equal(order.renditions[0].height, 480);
  assert_int_equal(order.renditions[1].video_bps, 300'000);
  const auto made = f.renditions();
  assert_int_equal(made.size(), 2);
  for (const RenditionRow& row : made) {
    assert_string_equal(row.status.c_str(), "complete");
    assert_true(row.progress == 100 && row.error.empty() && row.width == 640 && row.size == 4 &&
                row.duration_ms == 5000);
  }
  const VideoRow video = f.video();
  assert_string_equal(video.status.c_str(), "ready");
  assert_true(video.pictures.poster && video.pictures.screenshots == 1 && !video.pictures.sprite);
  assert_true(f.names(f.video_folder) ==
              std::vector<std::string>(
                  {"240p.mp4", "480p.mp4", "poster.jpg", "screenshot-1.jpg", "source.mp4"}));
  assert_true(f.names(worker::work_folder(f.config)).empty());
  const std::string event = f.told();
  assert_true(has(event, "\"video.ready\"") && has(event, kSlug) && f.told().empty());
  assert_false(f.lease(3'600'000).has_value());
}

void how_far_it_is_stands_in_the_catalogue_and_holds_the_lease(void**) {
  Fixture f;
  const auto lease = f.lease();
  std::int64_t percent = 0;
  bool held = false, cancelled = true;
  f.processor.during = [&](const Order& order, Observer& observer) {
    f.clock.advance(worker::kLeaseMs / 2);
    observer.progressed(0.42);
    cancelled = observer.cancelled();
    percent = f.renditions().at(0).progress;
    held = f.rows->is_leased(lease->id, f.clock.wall_ms() + worker::kLeaseMs * 3 / 4).value();
    return f.processor.make(order);
  };
  f.run(*lease);
  assert_int_equal(percent, 42);
  assert_true(held && !cancelled);
}

void an_error_is_tried_again_and_given_up_in_the_end(void**) {
  Fixture f;
  f.processor.during = [](const Order&, Observer&) {
    return Result<Outcome>(Error{Errc::kInternal, "disk broken"});
  };
  constexpr std::int64_t kPauses[] = {0, 10'000, 60'000, 600'000, 3'600'000};
  std::int64_t later = 1;
  for (std::int64_t failures = 0; failures < worker::kMostFailures; ++failures) {
    const std::int64_t pause = kPauses[failures];
    if (pause > 0) {
      assert_string_equal(f.renditions().at(0).status.c_str(), "processing");
      assert_string_equal(f.renditions().at(0).error.c_str(), "disk broken");
      assert_true(f.video().error.empty() && f.told().empty());
      assert_false(f.lease(later + pause - 2000).has_value());
    }
    later += pause + 2000;
    const auto due = f.lease(later);
    assert_true(due.has_value());
    assert_int_equal(due->failures, failures);
    f.run(*due);
    f.assert_no_work_is_left();
  }
  for (const RenditionRow& row : f.renditions()) {
    assert_string_equal(row.status.c_str(), "error");
    assert_string_equal(row.error.c_str(), "disk broken");
  }
  assert_string_equal(f.video().status.c_str(), "viewable");
  assert_string_equal(f.video().error.c_str(), "processing_failed: 480p, 240p: disk broken");
  const std::string event = f.told();
  assert_true(has(event, "\"video.error\"") && has(event, "disk broken"));
  assert_true(f.log.count("it is tried again in 10 s") == 1 && f.log.count("it is given up") == 1);
  assert_false(f.lease(later + 7'200'000).has_value());
}

void only_what_failed_is_tried_again(void**) {
  Fixture f;
  f.processor.during = [&](const Order& order, Observer&) {
    Outcome outcome = f.processor.make(order);
    outcome.renditions[1].error = "too hard";
    return Result<Outcome>(std::move(outcome));
  };
  f.run();
  f.processor.during = nullptr;
  const auto again = f.lease(11'000);
  assert_true(again.has_value());
  f.run(*again);
  const Order& order = f.processor.orders.at(1);
  assert_true(order.renditions.size() == 1 && order.renditions[0].name == "240p");
  assert_false(order.pictures);
  assert_string_equal(f.video().status.c_str(), "ready");
}

// As many as the recording has room for stand there with the reason, not just a word of the video.
void a_source_that_cannot_be_read_is_given_up_at_once(void**) {
  Fixture f;
  f.config.renditions.push_back({"720p", 720, 3'000'000, 128'000});
  f.processor.unreadable = Error{Errc::kCorrupt, "no recording"};
  f.run();
  assert_true(f.processor.orders.empty());
  const auto tried = f.renditions();
  assert_int_equal(tried.size(), 2);
  for (const RenditionRow& row : tried) {
    assert_string_equal(row.status.c_str(), "error");
    assert_string_equal(row.error.c_str(), "no recording");
  }
  assert_string_equal(f.video().status.c_str(), "viewable");
  assert_string_equal(f.video().error.c_str(), "processing_failed: 480p, 240p: no recording");
  assert_true(has(f.told(), "\"video.error\""));
  assert_false(f.lease(7'200'000).has_value());
  f.assert_no_work_is_left();
}

// It may yet be read, and then it is known what it has room for.
void one_that_cannot_be_read_now_has_no_qualities_yet(void**) {
  Fixture f;
  f.processor.unreadable = Error{Errc::kIo, "disk broken"};
  f.run();
  assert_true(f.renditions().empty() && f.told().empty());
  assert_true(f.lease(11'000).has_value());
}

void a_deleted_video_cancels_its_job(void**) {
  Fixture f;
  bool before = true, after = false;
  f.processor.during = [&](const Order& order, Observer& observer) {
    (void)f.processor.make(order);
    before = observer.cancelled();
    assert_true(bool(f.rows->delete_video(1, {})));
    f.clock.advance(3000);
    after = observer.cancelled();
    return Result<Outcome>(Error{Errc::kUnavailable, "cancelled"});
  };
  f.run();
  assert_true(!before && after);
  assert_true(f.renditions().empty() && f.told().empty());
  f.assert_no_work_is_left();
}

void one_that_is_deleted_at_the_last_moment_leaves_nothing_either(void**) {
  Fixture f;
  f.processor.during = [&](const Order& order, Observer&) {
    assert_true(bool(f.rows->delete_video(1, {})));
    return Result<Outcome>(f.processor.make(order));
  };
  f.run();
  assert_true(f.renditions().empty() && f.told().empty());
  f.assert_no_work_is_left();
}

void a_stop_gives_the_job_back(void**) {
  Fixture f;
  bool cancelled = false;
  f.processor.during = [&](const Order& order, Observer& observer) {
    (void)f.processor.make(order);
    f.stop.request_stop();
    cancelled = observer.cancelled();
    return Result<Outcome>(Error{Errc::kUnavailable, "cancelled"});
  };
  f.run();
  assert_true(cancelled);
  f.assert_no_work_is_left();
  const auto again = f.lease(1000);
  assert_true(again && again->failures == 0 && again->deaths == 0);
}

void one_that_killed_its_workers_too_often_is_given_up(void**) {
  Fixture f;
  auto lease = f.lease();
  lease->deaths = worker::kMostDeaths + 1;
  f.run(*lease);
  assert_true(f.processor.orders.empty());
  assert_int_equal(f.renditions().size(), 2);
  assert_true(has(f.renditions()[0].error, "died 51 times"));
  assert_true(has(f.told(), "\"video.error\""));
  assert_false(f.lease(7'200'000).has_value());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_was_made_is_published_and_told),
      cmocka_unit_test(how_far_it_is_stands_in_the_catalogue_and_holds_the_lease),
      cmocka_unit_test(an_error_is_tried_again_and_given_up_in_the_end),
      cmocka_unit_test(only_what_failed_is_tried_again),
      cmocka_unit_test(a_source_that_cannot_be_read_is_given_up_at_once),
      cmocka_unit_test(one_that_cannot_be_read_now_has_no_qualities_yet),
      cmocka_unit_test(a_deleted_video_cancels_its_job),
      cmocka_unit_test(one_that_is_deleted_at_the_last_moment_leaves_nothing_either),
      cmocka_unit_test(a_stop_gives_the_job_back),
      cmocka_unit_test(one_that_killed_its_workers_too_often_is_given_up),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
