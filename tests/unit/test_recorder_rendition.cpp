// Streams of which the best rendition is recorded, and not what the encoder sends.
#include <optional>

#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;

// A publisher of such a stream and its transcoder.
struct Stage {
  explicit Stage(bool automatic = true) {
    machine.rules.auto_record = automatic;
    machine.rules.transcoded = 1;
    catalog::StreamRow& row = machine.catalog.streams["live/cam"];
    row.id = 33;
    row.app = "live";
    row.name = "cam";
    row.record_type = "transcoded";
    made.is_rendition = true;
    made.width = 10;
    worker->tick();
  }
  recorder::Session* begin() {
    recorder::Session* session = worker->publish();
    sent.connect(session);
    return session;
  }
  // The transcoder is half a second late.
  void run(std::uint64_t from_ms, std::uint64_t to_ms) {
    for (std::uint64_t ms = from_ms; ms < to_ms; ms += 100) {
      sent.run_until(ms + 500);
      made.run_until(ms + 100);
      machine.clock.advance(100);
      if (ms % 1000 == 0) {
        worker->recorder().tick();
      }
      worker->settle();
    }
  }
  // One video, of all that was made.
  void assert_saved() {
    assert_int_equal(machine.catalog.videos.size(), 1);
    const auto videos = ready_videos(machine);
    assert_int_equal(videos.size(), 1);
    assert_string_equal(videos[0].record_type.c_str(), "transcoded");
    assert_int_equal(videos[0].width, 160);
    assert_true(movie_is(file_of(machine, videos[0]), made.handed));
    assert_int_equal(machine.spooled().size(), 0);
    assert_int_equal(worker->recordings().size(), 0);
  }

  Machine machine;
  std::optional<Worker> worker{std::in_place, machine};
  Encoder sent{1}, made{2};
};

void rendition_is_saved_to_its_last_picture(void**) {
  Stage stage;
  recorder::Session* session = stage.begin();
  stage.worker->settle();
  stage.made.connect(session);
  stage.run(0, 5000);
  assert_int_equal(stage.worker->stream().session.width, 320);  // it is the source that is told of
  stage.worker->recorder().end(session, SessionEnd::kInterrupted);
  assert_int_equal(stage.worker->stream().session.id, 0);
  stage.made.run_until(6000);  // what the transcoder had not made yet
  session->end_rendition("");
  run_out(*stage.worker);
  stage.assert_saved();
}

void what_is_made_only_when_the_encoder_has_left_is_saved(void**) {
  for (const SessionEnd how : {SessionEnd::kInterrupted, SessionEnd::kGoodbye}) {
    Stage stage;
    recorder::Session* session = stage.begin();
    stage.worker->settle();
    stage.sent.run_until(3000);
    stage.worker->recorder().end(session, how);
    stage.worker->ticks(2);
    stage.made.connect(session);
    stage.made.run_until(3000);
    session->end_rendition("");
    run_out(*stage.worker);
    stage.assert_saved();
    assert_int_equal(stage.machine.log.count("recording.started"), 1);
    assert_int_equal(stage.machine.log.count("recording.failed"), 0);
  }
}

void nothing_is_saved_of_what_is_never_made(void**) {
  Stage stage;
  recorder::Session* session = stage.begin();
  stage.worker->settle();
  stage.sent.run_until(3000);
  stage.worker->recorder().end(session, SessionEnd::kInterrupted);
  session->end_rendition("I am broken");
  run_out(*stage.worker);
  assert_int_equal(ready_videos(stage.machine).size(), 0);
  assert_int_equal(stage.worker->recordings().size(), 0);
  assert_int_equal(stage.machine.spooled().size() + stage.machine.stored().size(), 0);
  assert_int_equal(stage.machine.log.count("I am broken"), 2);  // the line, and the event
}

void source_is_forgotten_when_the_settings_come_late(void**) {
  Stage stage;
  recorder::Session* session = stage.begin();
  stage.sent.run_until(1000);
  assert_true(session->recorded() == runtime::Recorded::kNotKnown);
  stage.worker->settle();
  stage.worker->recorder().woken();
  assert_true(session->recorded() == runtime::Recorded::kRendition);
  stage.made.connect(session);
  stage.run(1000, 5000);
  session->end_rendition("");
  end_for_good(*stage.worker, session);
  stage.assert_saved();
  assert_int_equal(stage.machine.log.count("recording.started"), 1);
}

void source_is_not_saved_of_a_worker_that_died_before_the_settings_were_known(void**) {
  Stage stage;
  stage.begin();
  stage.sent.run_until(3000);
  stage.worker.emplace(stage.machine);
  run_out(*stage.worker);
  assert_int_equal(stage.machine.catalog.videos.size(), 0);
  assert_int_equal(stage.worker->recordings().size(), 0);
  assert_int_equal(stage.machine.spooled().size() + stage.machine.stored().size(), 0);
}

void transcoder_that_is_started_again_goes_on_with_the_video(void**) {
  for (const bool also_reconnects : {false, true}) {
    Stage stage;
    recorder::Session* session = stage.begin();
    stage.worker->settle();
    stage.made.connect(session);
    stage.run(0, 3000);
    session->interrupt_rendition();
    stage.worker->ticks(5);
    if (also_reconnects) {
      session->end_rendition("");
      stage.worker->recorder().end(session, SessionEnd::kInterrupted);
      stage.worker->ticks(2);
      session = stage.begin();
    }
    stage.made.connect(session);
    stage.run(3000, 6000);
    session->end_rendition("");
    end_for_good(*stage.worker, session);
    stage.assert_saved();
    assert_int_equal(stage.machine.log.count("recording.interrupted"), 2);
    assert_int_equal(stage.machine.log.count("recording.resumed"), 1);
  }
}

// The encoder is there all the time, and ffmpeg comes back later than the window.
void transcoder_that_is_away_for_the_window_ends_the_video(void**) {
  Stage stage;
  recorder::Session* session = stage.begin();
  stage.worker->settle();
  stage.made.connect(session);
  stage.run(0, 3000);
  session->interrupt_rendition();
  const HandedTracks first = stage.made.handed;
  for (int i = 0; i < 70; ++i) {
    stage.sent.run_until(4000 + 1000 * static_cast<std::uint64_t>(i));
    stage.worker->tick();
  }
  assert_int_equal(ready_videos(stage.machine).size(), 1);
  assert_true(movie_is(file_of(stage.machine, ready_videos(stage.machine)[0]), first));
  stage.made.connect(session);
  stage.run(80000, 83000);
  session->end_rendition("");
  end_for_good(*stage.worker, session);
  assert_int_equal(ready_videos(stage.machine).size(), 2);
  assert_true(movie_is(file_of(stage.machine, ready_videos(stage.machine)[1]),
                       from(stage.made, first[0].size(), first[1].size())));
}

void worker_that_dies_in_the_tail_loses_nothing(void**) {
  Stage stage;
  recorder::Session* session = stage.begin();
  stage.worker->settle();
  stage.made.connect(session);
  stage.run(0, 3000);
  stage.worker->recorder().end(session, SessionEnd::kInterrupted);
  stage.made.run_until(4000);
  stage.worker.emplace(stage.machine);
  run_out(*stage.worker);
  stage.assert_saved();
}

void start_and_stop_by_hand_reach_back_to_a_key_frame_of_the_rendition(void**) {
  Stage stage(false);
  recorder::Session* session = stage.begin();
  stage.worker->settle();
  stage.made.connect(session);
  stage.run(0, 2500);
  start(*stage.worker);
  stage.run(2500, 5000);
  const std::size_t pictures = stage.made.handed[0].size(), packets = stage.made.handed[1].size();
  stop(*stage.worker);
  stage.run(5000, 7000);
  session->end_rendition("");
  end_for_good(*stage.worker, session);
  const auto videos = ready_videos(stage.machine);
  assert_int_equal(videos.size(), 1);
  assert_true(movie_is(file_of(stage.machine, videos[0]),
                       range(stage.made.handed, 50, pictures, 94, packets)));
}

void what_is_not_transcoded_is_told(void**) {
  Stage off;
  off.machine.rules.transcoded = 0;
  recorder::Session* session = off.begin();
  off.worker->settle();
  off.worker->recorder().woken();
  off.sent.run_until(3000);
  off.worker->ticks(3);
  assert_int_equal(off.machine.log.count("recording.failed"), 1);
  auto refused = recorder::start_recording(off.worker->state(), off.machine.clock,
                                           off.worker->stream_index(), 0);
  assert_int_equal(refused.error().message.rfind("transcoder_off: ", 0), 0);
  off.worker->recorder().end(session, SessionEnd::kInterrupted);
  run_out(*off.worker);
  assert_int_equal(off.machine.catalog.videos.size(), 0);

  // Asked for while there was hope still.
  Stage hoped(false);
  session = hoped.begin();
  hoped.worker->settle();
  hoped.worker->recorder().woken();
  start(*hoped.worker);
  assert_int_equal(hoped.worker->recordings().size(), 1);
  session->end_rendition("ffmpeg cannot be run");
  hoped.worker->ticks(3);
  assert_int_equal(hoped.machine.log.count("ffmpeg cannot be run"), 2);  // in words, and an event
  assert_int_equal(hoped.worker->recordings().size(), 0);
  hoped.worker->recorder().end(session, SessionEnd::kInterrupted);
}

void change_of_the_setting_counts_from_the_next_session(void**) {
  Stage stage;
  stage.machine.catalog.streams["live/cam"].record_type = "origin";
  recorder::Session* session = stage.begin();
  stage.worker->settle();
  stage.sent.run_until(2000);
  {
    auto live = std::move(stage.worker->state().begin()).value();
    live.edit_stream(live.find_stream("live", "cam")).record_type = runtime::Recorded::kRendition;
  }
  stage.sent.run_until(4000);
  stage.machine.clock.advance(4000);
  const HandedTracks first = stage.sent.handed;
  stage.worker->recorder().end(session, SessionEnd::kInterrupted);
  session = stage.begin();
  stage.made.connect(session);
  stage.run(0, 3000);
  session->end_rendition("");
  end_for_good(*stage.worker, session);
  const auto videos = ready_videos(stage.machine);
  assert_int_equal(videos.size(), 2);
  assert_true(videos[0].record_type == "origin" && videos[1].record_type == "transcoded");
  assert_true(movie_is(file_of(stage.machine, videos[0]), first));
  assert_true(movie_is(file_of(stage.machine, videos[1]), stage.made.handed));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(rendition_is_saved_to_its_last_picture),
      cmocka_unit_test(what_is_made_only_when_the_encoder_has_left_is_saved),
      cmocka_unit_test(nothing_is_saved_of_what_is_never_made),
      cmocka_unit_test(source_is_forgotten_when_the_settings_come_late),
      cmocka_unit_test(source_is_not_saved_of_a_worker_that_died_before_the_settings_were_known),
      cmocka_unit_test(transcoder_that_is_started_again_goes_on_with_the_video),
      cmocka_unit_test(transcoder_that_is_away_for_the_window_ends_the_video),
      cmocka_unit_test(worker_that_dies_in_the_tail_loses_nothing),
      cmocka_unit_test(start_and_stop_by_hand_reach_back_to_a_key_frame_of_the_rendition),
      cmocka_unit_test(what_is_not_transcoded_is_told),
      cmocka_unit_test(change_of_the_setting_counts_from_the_next_session),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
