// recording-worker's service of jobs: what it does besides the jobs themselves.
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/system_clock.hpp"
#include "webhook/deliverer.hpp"
#include "worker/job_service.hpp"
#include "test_worker_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;

struct SharedLog final : Log {
  void write(LogLevel level, std::string_view line) noexcept override {
    const std::scoped_lock held(mutex);
    lines.write(level, line);
  }
  std::size_t count(std::string_view text) {
    const std::scoped_lock held(mutex);
    return lines.count(text);
  }
  std::mutex mutex;
  test::MemoryLog lines;
};

struct ServiceFixture : test::JobFixture {
  // Has it run until then.
  void serve_until(const std::function<bool()>& done) {
    const auto open = [this]() -> Result<std::unique_ptr<catalog::Catalog>> {
      return test::open_catalog(folder);
    };
    worker::JobService service({config, clock, log, files, processor}, "me", open);
    std::jthread thread([&](const std::stop_token& token) { service.run(token); });
    for (int i = 0; i < 6000 && !done(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    assert_true(done());
  }
  const SystemClock clock;
  SharedLog log;
};

void no_job_is_begun_below_min_free(void**) {
  ServiceFixture f;
  f.config.workers = 2;
  f.config.min_free_bytes = test::kMuch;
  f.serve_until([&f] { return f.log.count("no job is begun") != 0; });
  assert_true(f.processor.orders.empty());
  assert_int_equal(f.log.count("no job is begun"), 1);
  f.config.min_free_bytes = 0;
  f.serve_until([&f] { return f.video().status == "ready"; });
}

// Of a webhook that is configured no more, and of which nobody else knows.
void deliveries_to_nobody_are_given_up(void**) {
  ServiceFixture f;
  f.config.webhooks.clear();
  catalog::EventRow event;
  event.id = event.body = "1";
  event.created_at = f.clock.wall_ms() - webhook::Deliverer::kLongestMs - 1000;
  assert_true(bool(f.rows->add_events({event}, {"http://gone/"})));
  event.id = "2";
  event.created_at = f.clock.wall_ms();
  assert_true(bool(f.rows->add_events({event}, {"http://gone/"})));
  f.serve_until([&f] { return f.log.count("gave up 1 deliveries") != 0; });
  assert_int_equal(f.rows->work_figures().value().deliveries_waiting, 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(no_job_is_begun_below_min_free),
      cmocka_unit_test(deliveries_to_nobody_are_given_up),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
