// Broadcasts, short and long, interrupted and silent: which videos come of them.
#include <cmath>

#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;
using runtime::RecordingState;

// A second worker, or the same: nothing is left of what was recorded but the video.
void assert_all_is_given_back(Worker& worker, std::size_t free_segments) {
  assert_int_equal(worker.recordings().size(), 0);
  assert_int_equal(worker.machine().spooled().size(), 0);
  assert_int_equal(worker.journal().free_segments(), free_segments);
  assert_int_equal(worker.machine().runtime.names("r.").size(), 0);
}

void auto_record_saves_all_from_the_first_message(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  const std::size_t free_segments = worker.journal().free_segments();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 5000);
  assert_int_equal(worker.recordings().size(), 1);
  assert_int_equal(machine.stored().size(), 0);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.settle();
  assert_int_equal(worker.recordings()[0].state, RecordingState::kInterrupted);
  run_out(worker);

  const auto videos = ready_videos(machine);
  assert_int_equal(videos.size(), 1);
  assert_true(movie_is(file_of(machine, videos[0]), encoder.handed));
  assert_true(videos[0].id > 0);
  assert_int_equal(videos[0].stream_id, 1);
  assert_in_range(videos[0].duration_ms, 4980, 5040);
  assert_int_equal(videos[0].origin_size, file_of(machine, videos[0]).size());
  assert_int_equal(videos[0].width, 320);
  assert_int_equal(videos[0].height, 240);
  assert_int_equal(videos[0].recording_times.size(), 1);
  assert_all_is_given_back(worker, free_segments);
  assert_int_equal(machine.log.count_from(LogLevel::kWarn), 0);
}

void audio_alone_and_video_alone_are_recorded(void**) {
  for (const bool video : {true, false}) {
    Machine machine;
    Worker worker(machine);
    worker.tick();
    Encoder encoder;
    encoder.video = video;
    encoder.audio = !video;
    recorder::Session* session = publish_for(worker, encoder, 4000);
    end_for_good(worker, session);
    assert_int_equal(ready_videos(machine).size(), 1);
    assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
  }
}

void short_recording_is_removed(void**) {
  Machine machine;
  machine.rules.min_duration_ms = 10000;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 9900);
  end_for_good(worker, session);
  assert_string_equal(machine.catalog.videos.begin()->second.error.c_str(), "too_short");
  assert_int_equal(machine.spooled().size() + machine.stored().size(), 0);
  assert_int_equal(machine.log.count("recording.discarded"), 1);
}

void long_recording_is_divided_at_a_key_frame(void**) {
  Machine machine;
  machine.rules.max_duration_ms = 3500;
  machine.rules.min_duration_ms = 3000;  // the last part is kept however short it is
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 9400);
  end_for_good(worker, session);
  const auto rows = ready_videos(machine);
  assert_int_equal(rows.size(), 3);
  recorder::PerKind<std::size_t> at{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    assert_int_equal(rows[i].sequence, i + 1);
    assert_string_equal(rows[i].transaction_id.c_str(), rows[0].transaction_id.c_str());
    const Movie movie = read_movie(file_of(machine, rows[i]));
    assert_true(movie.samples[0].at(0).key);
    const std::size_t pictures = movie.samples[0].size(), packets = movie.samples[1].size();
    assert_true(movie_is(file_of(machine, rows[i]),
                         range(encoder.handed, at[0], at[0] + pictures, at[1], at[1] + packets)));
    at[0] += pictures;
    at[1] += packets;
    assert_int_equal(pictures, i < 2 ? 100 : 35);
  }
  assert_int_equal(at[0], encoder.handed[0].size());
  assert_int_equal(at[1], encoder.handed[1].size());
}

void interruption_inside_the_window_is_one_video(void**) {
  for (const std::uint8_t keep_gap : {std::uint8_t{0}, std::uint8_t{1}}) {
    Machine machine;
    machine.rules.keep_gap = keep_gap;
    Worker worker(machine);
    worker.tick();
    Encoder encoder;
    recorder::Session* session = publish_for(worker, encoder, 3000);
    worker.recorder().end(session, SessionEnd::kInterrupted);
    worker.ticks(20);
    session = publish_for(worker, encoder, 3000, 5000000);
    end_for_good(worker, session);
    const auto rows = ready_videos(machine);
    assert_int_equal(rows.size(), 1);
    assert_true(movie_is(file_of(machine, rows[0]), encoder.handed));
    assert_in_range(rows[0].duration_ms, keep_gap != 0 ? 25900 : 5980,
                    keep_gap != 0 ? 26100 : 6080);
    assert_int_equal(rows[0].recording_times.size(), 2);
    for (const catalog::RecordingTime& time : rows[0].recording_times) {
      assert_in_range(std::lround(time.duration_seconds * 1000), 2950, 3050);  // without the gap
    }
    assert_true(rows[0].uniform);
    assert_int_equal(machine.log.count("recording.resumed"), 1);
  }
}

// What counts is media, whatever the timeline keeps.
void kept_gap_does_not_make_a_recording_long_enough(void**) {
  for (const std::uint32_t each_ms : {3000U, 6000U}) {
    Machine machine;
    machine.rules.keep_gap = 1;
    machine.rules.min_duration_ms = 10000;
    Worker worker(machine);
    worker.tick();
    Encoder encoder;
    recorder::Session* session = publish_for(worker, encoder, each_ms);
    worker.recorder().end(session, SessionEnd::kInterrupted);
    worker.ticks(40);
    end_for_good(worker, publish_for(worker, encoder, each_ms, 5000000));
    assert_int_equal(machine.catalog.videos.size(), 1);
    const catalog::VideoRow& row = machine.catalog.videos.begin()->second;
    assert_string_equal(row.error.c_str(), each_ms == 3000 ? "too_short" : "");
    assert_int_equal(machine.stored().size(), each_ms == 3000 ? 0 : 1);
  }
}

// Recovery of a slow disk must not count as time without media.
void gap_ends_with_the_first_message_of_the_next_publish(void**) {
  Machine machine;
  machine.rules.keep_gap = 1;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 2900);
  worker.recorder().end(session, SessionEnd::kInterrupted);  // its last batch waits for the disk
  machine.clock.advance(2000);
  session = worker.publish();
  encoder.connect(session, 100);
  encoder.run_until(1000);
  machine.clock.advance(10000);
  worker.settle();
  worker.recorder().woken();
  worker.settle();
  encoder.run_until(2000);
  end_for_good(worker, session);
  const auto rows = ready_videos(machine);
  assert_int_equal(rows.size(), 1);
  assert_true(movie_is(file_of(machine, rows[0]), encoder.handed));
  assert_in_range(rows[0].duration_ms, 6700, 7100);
}

void interruption_longer_than_the_window_makes_two_videos(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 3000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.ticks(61);
  const std::size_t pictures = encoder.handed[0].size(), packets = encoder.handed[1].size();
  session = publish_for(worker, encoder, 2000);
  end_for_good(worker, session);
  const auto rows = ready_videos(machine);
  assert_int_equal(rows.size(), 2);
  assert_true(movie_is(file_of(machine, rows[0]), up_to(encoder, pictures, packets)));
  assert_true(movie_is(file_of(machine, rows[1]), from(encoder, pictures, packets)));
}

void goodbye_ends_at_once_where_the_application_says_so(void**) {
  Machine machine;
  machine.rules.end_on_unpublish = 1;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 3000);
  worker.recorder().end(session, SessionEnd::kGoodbye);
  worker.settle();
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_int_equal(worker.stream().recording, runtime::kNone);
}

void second_publisher_of_a_name_has_no_claim(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  recorder::Session* session = worker.publish();
  assert_non_null(session);
  assert_null(worker.publish());
  worker.settle();
  worker.recorder().end(session, SessionEnd::kInterrupted);
  assert_non_null(worker.publish());
}

void silence_of_the_window_ends_the_recording_once(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 3000);
  run_out(worker);
  run_out(worker);
  assert_int_equal(machine.catalog.videos.size(), 1);
  assert_true(movie_is(file_of(machine, ready_videos(machine).at(0)), encoder.handed));
  const std::size_t pictures = encoder.handed[0].size(), packets = encoder.handed[1].size();
  publish_until(worker, encoder, 6000);
  end_for_good(worker, session);
  assert_int_equal(machine.catalog.videos.size(), 2);
  assert_true(
      movie_is(file_of(machine, ready_videos(machine).at(1)), from(encoder, pictures, packets)));
}

// Before anybody has asked the catalogue which stream it is.
void pending_video_is_its_streams(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  publish_for(worker, encoder, 2000);
  for (const auto& [slug, row] : machine.catalog.videos) {
    assert_string_equal(row.status.c_str(), "pending");
    assert_true(row.stream_id != 0);
  }
  assert_int_equal(machine.catalog.videos.size(), 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(pending_video_is_its_streams),
      cmocka_unit_test(auto_record_saves_all_from_the_first_message),
      cmocka_unit_test(audio_alone_and_video_alone_are_recorded),
      cmocka_unit_test(short_recording_is_removed),
      cmocka_unit_test(long_recording_is_divided_at_a_key_frame),
      cmocka_unit_test(interruption_inside_the_window_is_one_video),
      cmocka_unit_test(kept_gap_does_not_make_a_recording_long_enough),
      cmocka_unit_test(gap_ends_with_the_first_message_of_the_next_publish),
      cmocka_unit_test(interruption_longer_than_the_window_makes_two_videos),
      cmocka_unit_test(goodbye_ends_at_once_where_the_application_says_so),
      cmocka_unit_test(second_publisher_of_a_name_has_no_claim),
      cmocka_unit_test(silence_of_the_window_ends_the_recording_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
