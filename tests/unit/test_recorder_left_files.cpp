// What becomes of a recording's file when somebody comes back to it.
#include <optional>

#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;

// An encoder may pad its media with zeros. They look like the holes of a power cut, but no power
// was cut between one connection and the next, nor when a worker was killed.
void reconnect_keeps_media_that_are_padded_with_zeros(void**) {
  for (const bool killed : {false, true}) {
    Machine machine;
    Encoder encoder;
    encoder.trailing_zeros = 1200;
    std::optional<Worker> worker(std::in_place, machine);
    worker->tick();
    for (std::uint32_t i = 0; i < 3; ++i) {
      recorder::Session* session = publish_for(*worker, encoder, 3000, i * 100000);
      if (killed) {
        worker.emplace(machine);
      } else {
        worker->recorder().end(session, SessionEnd::kInterrupted);
      }
      worker->ticks(2);
    }
    run_out(*worker);
    assert_int_equal(ready_videos(machine).size(), 1);
    assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reconnect_keeps_media_that_are_padded_with_zeros),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
