// Several recordings' fragments share a round: what waits, for how long, and in which order it is
// written.
#include <string>

#include "recorder/write_rounds.hpp"
#include "support/fake_clock.hpp"
#include "support/inline_executor.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::WriteRounds;
using recorder::WriteTask;

class Noting final : public WriteTask {
 public:
  Noting(std::string& log, const char* name) : log_(log), name_(name) {}
  void write() noexcept override { note("w"); }
  void begin_sync() noexcept override { note("b"); }
  void sync() noexcept override { note("s"); }
  void done() override { note("d"); }
  void refused() override { note("r"); }

 private:
  void note(const char* what) { log_ += what + std::string(name_) + " "; }
  std::string& log_;
  const char* name_;
};

struct Rounds {
  Rounds() { clock.advance(10000); }
  void add(const char* name, std::int64_t most_wait_ms = 1000) {
    rounds.add(std::make_unique<Noting>(log, name), most_wait_ms);
  }
  std::string heard() { return std::exchange(log, {}); }

  FakeClock clock;
  QueuedExecutor io;
  WriteRounds rounds{io, clock};
  std::string log;
};

void first_does_not_wait(void**) {
  Rounds test;
  test.add("1");
  test.io.drain();
  assert_string_equal(test.heard().c_str(), "w1 s1 d1 ");
}

// All are written before the first is synced.
void those_that_wait_are_written_together(void**) {
  Rounds test;
  test.add("1");
  test.clock.advance(10);
  test.add("2");
  test.add("3");
  test.clock.advance(239);
  test.rounds.tick();
  test.io.drain();
  assert_string_equal(test.heard().c_str(), "w1 s1 d1 ");
  test.clock.advance(1);
  test.rounds.tick();
  assert_true(test.io.run_one());
  assert_false(test.io.run_one());  // one job
  assert_string_equal(test.heard().c_str(), "w2 w3 b2 b3 s2 s3 ");
  test.io.drain();
  assert_string_equal(test.heard().c_str(), "d2 d3 ");
}

void shortest_wait_counts(void**) {
  Rounds test;
  test.add("1");
  test.io.drain();
  (void)test.heard();
  test.add("2", 1000);
  test.add("3", 25);
  test.clock.advance(25);
  test.rounds.tick();
  test.io.drain();
  assert_string_equal(test.heard().c_str(), "w2 w3 b2 b3 s2 s3 d2 d3 ");
}

void what_ends_does_not_wait(void**) {
  Rounds test;
  test.add("1");
  test.io.drain();
  test.add("2");
  test.rounds.hurry();
  test.io.drain();
  assert_string_equal(test.heard().c_str(), "w1 s1 d1 w2 s2 d2 ");
  test.rounds.hurry();
  assert_int_equal(test.io.drain(), 0);
}

void many_do_not_wait(void**) {
  Rounds test;
  test.add("0");
  test.io.drain();
  for (int i = 0; i < 32; ++i) {
    test.add("1");
  }
  assert_true(test.io.drain() > 0);
}

void full_pool_refuses_all_of_them(void**) {
  Rounds test;
  test.add("1");
  test.io.drain();
  (void)test.heard();
  test.io.set_capacity(0);
  test.add("2");
  test.add("3");
  test.rounds.hurry();
  assert_string_equal(test.heard().c_str(), "r2 r3 ");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(first_does_not_wait),
      cmocka_unit_test(those_that_wait_are_written_together),
      cmocka_unit_test(shortest_wait_counts),
      cmocka_unit_test(what_ends_does_not_wait),
      cmocka_unit_test(many_do_not_wait),
      cmocka_unit_test(full_pool_refuses_all_of_them),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
