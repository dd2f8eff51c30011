// What a stream's settings decide, whenever the catalogue says them.
#include <optional>

#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;
using runtime::RecordingState;

// It is recorded by the application's word at once, so that nothing is lost should the worker be
// killed; only telling of it waits.
void slow_catalogue_delays_the_news_only(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  encoder.run_until(3000);
  assert_int_equal(worker.recordings().size(), 1);
  assert_int_equal(machine.log.count("recording.started"), 0);
  worker.settle();
  assert_int_equal(worker.recordings().size(), 1);
  assert_int_equal(machine.log.count("recording.started"), 1);
  encoder.run_until(4000);
  end_for_good(worker, session);
  assert_true(movie_is(file_of(machine, ready_videos(machine).at(0)), encoder.handed));
}

void recording_that_the_settings_forbid_leaves_nothing(void**) {
  Machine machine;
  catalog::StreamRow& row = machine.catalog.streams["live/cam"];
  row.id = 33;
  row.auto_record = false;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  encoder.run_until(3000);
  worker.settle();
  worker.recorder().woken();
  encoder.run_until(4000);
  end_for_good(worker, session);
  assert_int_equal(machine.catalog.videos.size(), 0);
  assert_int_equal(machine.spooled().size() + machine.stored().size(), 0);
  assert_int_equal(worker.recordings().size(), 0);
}

// The same, and the encoder has gone before the catalogue answers.
void publisher_that_leaves_before_the_catalogue_answers_is_saved(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  encoder.run_until(3000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.settle();
  run_out(worker);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
}

// auto_record is the stream's own setting, and the worker dies, or the encoder goes, before the
// catalogue has said so for the first time.
void setting_that_was_not_known_in_time_counts(void**) {
  for (const bool on : {true, false}) {
    for (const bool killed : {true, false}) {
      Machine machine;
      machine.rules.auto_record = !on;
      catalog::StreamRow& row = machine.catalog.streams["live/cam"];
      row.id = 33;
      row.app = "live";
      row.name = "cam";
      row.auto_record = on;
      std::optional<Worker> worker(std::in_place, machine);
      worker->tick();
      Encoder encoder;
      recorder::Session* session = worker->publish();
      encoder.connect(session);
      encoder.run_until(3000);
      if (killed) {
        worker.emplace(machine);
      } else {
        worker->recorder().end(session, SessionEnd::kInterrupted);
      }
      run_out(*worker);
      assert_int_equal(ready_videos(machine).size(), on ? 1 : 0);
      if (on) {
        assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
        assert_int_equal(machine.log.count("recording.started"), 1);
      }
      assert_int_equal(machine.catalog.videos.size(), on ? 1 : 0);
      assert_int_equal(worker->recordings().size(), 0);
      assert_int_equal(machine.spooled().size(), 0);
    }
  }
}

// It comes back while the settings of its first publish are being asked.
void encoder_that_returns_while_the_settings_are_asked_is_let_in(void**) {
  for (const bool automatic : {true, false}) {
    Machine machine;
    machine.rules.auto_record = automatic;
    Worker worker(machine);
    worker.tick();
    Encoder encoder;
    recorder::Session* session = worker.publish();
    encoder.connect(session);
    encoder.run_until(1000);
    worker.recorder().end(session, SessionEnd::kInterrupted);
    machine.clock.advance(500);
    session = worker.publish();
    assert_non_null(session);
    encoder.connect(session, 5000);
    encoder.run_until(1000);
    worker.settle();
    publish_until(worker, encoder, 2000);
    end_for_good(worker, session);
    assert_int_equal(ready_videos(machine).size(), automatic ? 1 : 0);
    if (automatic) {
      assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
    }
    assert_int_equal(worker.recordings().size(), 0);
  }
}

// A start that comes while the settings are being asked is a promise.
void start_before_the_settings_are_known_is_kept(void**) {
  Machine machine;
  catalog::StreamRow& row = machine.catalog.streams["live/cam"];
  row.id = 33;
  row.auto_record = false;
  Worker worker(machine);
  worker.ticks(2);
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  encoder.run_until(1000);
  auto control = recorder::start_recording(worker.state(), machine.clock, worker.stream_index(), 0);
  assert_true(bool{control});
  worker.settle();
  publish_until(worker, encoder, 3000);
  stop(worker);
  run_out(worker);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_string_equal(ready_videos(machine)[0].slug.c_str(),
                      std::string(control.value().recording.slug.view()).c_str());
  assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
}

void row_of_a_recording_arrives_when_the_catalogue_is_back(void**) {
  Machine machine;
  machine.catalog.down = true;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 3000);
  end_for_good(worker, session);
  assert_int_equal(machine.catalog.videos.size(), 0);
  assert_int_equal(machine.stored().size(), 1);
  assert_int_equal(worker.recordings().at(0).state, RecordingState::kSettled);
  machine.catalog.down = false;
  worker.ticks(20);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(ready_videos(machine)[0].stream_id != 0);
  assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
  assert_int_equal(worker.recordings().size(), 0);
}

void setting_of_the_stream_wins_over_the_application(void**) {
  Machine machine;
  catalog::StreamRow& row = machine.catalog.streams["live/cam"];
  row.id = 33;
  row.auto_record = false;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  publish_for(worker, encoder, 3000);
  assert_int_equal(worker.recordings().size(), 0);
  assert_int_equal(worker.stream().stream_id, 33);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(slow_catalogue_delays_the_news_only),
      cmocka_unit_test(recording_that_the_settings_forbid_leaves_nothing),
      cmocka_unit_test(publisher_that_leaves_before_the_catalogue_answers_is_saved),
      cmocka_unit_test(setting_that_was_not_known_in_time_counts),
      cmocka_unit_test(encoder_that_returns_while_the_settings_are_asked_is_let_in),
      cmocka_unit_test(start_before_the_settings_are_known_is_kept),
      cmocka_unit_test(row_of_a_recording_arrives_when_the_catalogue_is_back),
      cmocka_unit_test(setting_of_the_stream_wins_over_the_application),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
