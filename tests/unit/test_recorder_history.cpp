// What is kept of sessions in the history of their streams.
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;

void a_session_is_kept_with_its_source_and_end(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 5000);
  const std::int64_t came = worker.stream().bytes_in.get();
  const std::uint64_t id = session->id();
  const std::int64_t end_ms = machine.clock.wall_ms();
  worker.recorder().end(session, SessionEnd::kGoodbye);
  worker.settle();

  assert_int_equal(machine.catalog.sessions_begun.size(), 1);
  assert_int_equal(machine.catalog.sessions_ended.size(), 1);
  const catalog::SessionStart& begun = machine.catalog.sessions_begun[0];
  const catalog::SessionRow& ended = machine.catalog.sessions_ended[0];
  assert_true(begun.id == id && ended.id == id);
  assert_int_equal(begun.stream_id, 1);
  assert_int_equal(ended.stream_id, 1);
  assert_int_equal(ended.started_at, begun.started_at);
  assert_int_equal(ended.ended_at, end_ms);
  assert_string_equal(ended.end_reason.c_str(), "unpublished");
  assert_string_equal(ended.video_codec.c_str(), "h264");
  assert_string_equal(ended.audio_codec.c_str(), "aac");
  assert_int_equal(ended.width, 320);
  assert_int_equal(ended.height, 240);
  assert_true(came > 0 && ended.bytes >= came);
}

// A stream that is known, one that is new, and one that leaves before the catalogue has told its
// id.
void whoever_leaves_at_once_is_kept_too(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  recorder::Session* session = worker.publish();
  Encoder encoder;
  encoder.connect(session);
  encoder.step();
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.settle();
  assert_int_equal(machine.catalog.sessions_begun.size(), 1);
  assert_int_equal(machine.catalog.sessions_ended.size(), 1);
  assert_int_equal(machine.catalog.sessions_ended[0].stream_id, 1);
  assert_string_equal(machine.catalog.sessions_ended[0].end_reason.c_str(), "connection");

  worker.recorder().end(worker.publish(), SessionEnd::kInterrupted);
  worker.settle();
  assert_int_equal(machine.catalog.sessions_begun.size(), 2);
  assert_int_equal(machine.catalog.sessions_ended.size(), 2);
  assert_true(machine.catalog.sessions_begun[0].id != machine.catalog.sessions_begun[1].id);
}

void a_silence_divides_a_connection(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 5000);
  const std::int64_t last = machine.clock.wall_ms();
  run_out(worker);
  assert_int_equal(machine.catalog.sessions_ended.size(), 1);
  const catalog::SessionRow silent = machine.catalog.sessions_ended[0];
  assert_string_equal(silent.end_reason.c_str(), "silent");
  assert_in_range(silent.ended_at, last - 100, last);
  assert_int_equal(silent.width, 320);

  const std::int64_t again = machine.clock.wall_ms();
  publish_until(worker, encoder, 7000);
  assert_int_equal(machine.catalog.sessions_begun.size(), 2);
  const catalog::SessionStart& begun = machine.catalog.sessions_begun[1];
  assert_true(begun.id == silent.id);
  assert_in_range(begun.started_at, again, again + 100);
  assert_int_equal(worker.stream().session.started_wall_ms, begun.started_at);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.settle();
  assert_int_equal(machine.catalog.sessions_ended.size(), 2);
  assert_int_equal(machine.catalog.sessions_ended[1].started_at, begun.started_at);
  assert_true(machine.catalog.sessions_ended[1].bytes < silent.bytes);
}

// A killed worker tells nothing; whoever comes knows when the last message did.
void a_killed_worker_leaves_its_end_to_the_next(void**) {
  Machine machine;
  std::int64_t last = 0;
  {
    Worker worker(machine);
    worker.tick();
    Encoder encoder;
    (void)publish_for(worker, encoder, 5000);
    worker.tick(0);
    last = machine.clock.wall_ms();
  }
  assert_int_equal(machine.catalog.sessions_ended.size(), 0);
  machine.clock.advance(20000);
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  (void)publish_for(worker, encoder, 1000);
  assert_int_equal(machine.catalog.sessions_begun.size(), 2);
  assert_int_equal(machine.catalog.sessions_ended.size(), 1);
  const catalog::SessionRow& killed = machine.catalog.sessions_ended[0];
  assert_true(killed.id == machine.catalog.sessions_begun[0].id);
  assert_int_equal(killed.started_at, machine.catalog.sessions_begun[0].started_at);
  assert_in_range(killed.ended_at, last - 100, last);
  assert_string_equal(killed.end_reason.c_str(), "worker_ended");
  assert_int_equal(killed.width, 320);
}

// What does not fit a catalogue that is away does not hold up what follows.
void a_catalogue_that_was_away_has_the_whole_at_the_end(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder first;
  end_for_good(worker, publish_for(worker, first, 1000));
  machine.catalog.down = true;
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 3000);
  const std::int64_t began = worker.stream().session.started_wall_ms;
  machine.catalog.down = false;
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.settle();
  assert_int_equal(machine.catalog.sessions_begun.size(), 1);
  assert_int_equal(machine.catalog.sessions_ended.size(), 2);
  assert_int_equal(machine.catalog.sessions_ended[1].started_at, began);
  assert_int_equal(machine.catalog.sessions_ended[1].width, 320);
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(a_session_is_kept_with_its_source_and_end),
    cmocka_unit_test(whoever_leaves_at_once_is_kept_too),
    cmocka_unit_test(a_silence_divides_a_connection),
    cmocka_unit_test(a_killed_worker_leaves_its_end_to_the_next),
    cmocka_unit_test(a_catalogue_that_was_away_has_the_whole_at_the_end),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
