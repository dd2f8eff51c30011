#include "recorder/control.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using media::TrackKind;
using runtime::RecordingState;

// Sends `seconds` of media in real time, the pool keeping up.
void publish_for(Worker& worker, Encoder& encoder, std::uint64_t until_ms) {
  while (encoder.next_ms() < until_ms) {
    const std::uint64_t before = encoder.next_ms();
    encoder.step();
    worker.machine().clock.advance(static_cast<std::int64_t>(encoder.next_ms() - before));
    if (encoder.next_ms() / 1000 != before / 1000) {
      worker.recorder().tick();
    }
    worker.settle();
  }
}

// Ends what is going on and lets the window pass.
void run_out(Worker& worker) { worker.ticks(70); }

void auto_record_saves_all_from_the_first_message(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  encoder.connect(worker.publish());
  publish_for(worker, encoder, 5000);
  worker.recorder().end(nullptr, recorder::SessionEnd::kGoodbye);  // of nobody: no harm
  assert_int_equal(worker.recordings().size(), 1);
  worker.recorder().end(worker.recorder().begin({"live", "x", machine.rules},
                                                std::move(worker.recorder().claim("live", "x"))
                                                    .value()),
                        recorder::SessionEnd::kGoodbye);
  run_out(worker);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(auto_record_saves_all_from_the_first_message),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
