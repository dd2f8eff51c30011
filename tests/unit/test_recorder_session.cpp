#include <cmath>
#include <optional>

#include "recorder/control.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;
using runtime::RecordingState;

// Longer than every window.
void run_out(Worker& worker) { worker.ticks(70); }

void start(Worker& worker) {
  auto control =
      recorder::start_recording(worker.state(), worker.machine().clock, worker.stream_index(), 0);
  assert_true(bool{control});
  worker.recorder().woken();
  worker.settle();
}
void stop(Worker& worker) {
  assert_true(bool{
      recorder::stop_recording(worker.state(), worker.machine().clock, worker.stream_index())});
  worker.recorder().woken();
  worker.settle();
}

HandedTracks from(const Encoder& encoder, std::size_t video, std::size_t audio) {
  return range(encoder.handed, video, encoder.handed[0].size(), audio, encoder.handed[1].size());
}
HandedTracks up_to(const Encoder& encoder, std::size_t video, std::size_t audio) {
  return range(encoder.handed, 0, video, 0, audio);
}

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
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 5000);
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
    recorder::Session* session = worker.publish();
    encoder.connect(session);
    publish_until(worker, encoder, 4000);
    worker.recorder().end(session, SessionEnd::kInterrupted);
    run_out(worker);
    assert_int_equal(ready_videos(machine).size(), 1);
    assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
  }
}

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
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
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
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
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
    worker.recorder().end(session, SessionEnd::kInterrupted);
    run_out(worker);
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
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 3000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
  assert_int_equal(machine.catalog.videos.size(), 0);
  assert_int_equal(machine.stored().size(), 1);
  assert_int_equal(worker.recordings().at(0).state, RecordingState::kSettled);
  machine.catalog.down = false;
  worker.ticks(20);
  assert_int_equal(ready_videos(machine).size(), 1);
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
  encoder.connect(worker.publish());
  publish_until(worker, encoder, 3000);
  assert_int_equal(worker.recordings().size(), 0);
  assert_int_equal(worker.stream().stream_id, 33);
}

void manual_start_reaches_back_to_the_key_frame(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 5400);
  start(worker);
  publish_until(worker, encoder, 8000);
  stop(worker);
  const std::size_t videos = encoder.handed[0].size(), packets = encoder.handed[1].size();
  publish_until(worker, encoder, 9000);
  run_out(worker);
  const auto rows = ready_videos(machine);
  assert_int_equal(rows.size(), 1);
  // The picture at 5000 ms is the key frame; audio from there on comes with it.
  const HandedTracks all = up_to(encoder, videos, packets);
  std::size_t first_audio = 0;
  while (all[1][first_audio].ts < 5000) {
    ++first_audio;
  }
  assert_true(movie_is(file_of(machine, rows[0]), range(all, 125, videos, first_audio, packets)));
}

void manual_start_without_preroll_waits_for_a_key_frame(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  machine.rules.preroll = 0;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 5400);
  start(worker);
  publish_until(worker, encoder, 8000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
  const auto rows = ready_videos(machine);
  assert_int_equal(rows.size(), 1);
  const Movie movie = read_movie(file_of(machine, rows[0]));
  assert_int_equal(movie.samples[0].size(), 50);
  assert_true(movie.samples[0][0].bytes == encoder.handed[0][150].bytes);
}

// The second one reaches back to the last key frame too: what it shares with the first is in both.
void recording_begun_again_after_a_stop_reaches_back_to_the_key_frame(void**) {
  for (const std::uint8_t preroll : {std::uint8_t{1}, std::uint8_t{0}}) {
    Machine machine;
    machine.rules.auto_record = 0;
    machine.rules.preroll = preroll;
    Worker worker(machine);
    worker.tick();
    Encoder encoder;
    encoder.gop = 75;
    recorder::Session* session = worker.publish();
    encoder.connect(session);
    publish_until(worker, encoder, 2400);
    start(worker);
    publish_until(worker, encoder, 5400);
    stop(worker);
    publish_until(worker, encoder, 5600);
    start(worker);
    publish_until(worker, encoder, 8000);
    stop(worker);
    run_out(worker);
    const auto rows = ready_videos(machine);
    assert_int_equal(rows.size(), 2);
    const std::size_t first[] = {preroll != 0 ? 0U : 75U, preroll != 0 ? 75U : 150U};
    const std::size_t end[] = {135, 200};
    for (std::size_t i = 0; i < 2; ++i) {
      const Movie movie = read_movie(file_of(machine, rows[i]));
      assert_int_equal(movie.samples[0].size(), end[i] - first[i]);
      for (std::size_t k = first[i]; k < end[i]; ++k) {
        assert_true(movie.samples[0][k - first[i]].bytes == encoder.handed[0][k].bytes);
      }
    }
  }
}

// A group of pictures that is larger than recording_buffer.
void preroll_without_its_key_frame_is_none(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  machine.rules.buffer_bytes = 1 << 20;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  encoder.gop = 100;
  encoder.picture_size = 30000;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 3400);
  start(worker);
  publish_until(worker, encoder, 5000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
  const Movie movie = read_movie(file_of(machine, ready_videos(machine).at(0)));
  assert_int_equal(movie.samples[0].size(), 25);
  assert_true(movie.samples[0][0].bytes == encoder.handed[0][100].bytes);
}

void stopped_stream_is_recorded_again_with_its_next_publish(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 2000);
  stop(worker);
  const std::size_t pictures = encoder.handed[0].size(), packets = encoder.handed[1].size();
  publish_until(worker, encoder, 6000);
  run_out(worker);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(
      movie_is(file_of(machine, ready_videos(machine)[0]), up_to(encoder, pictures, packets)));
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.settle();
  const std::size_t more_pictures = encoder.handed[0].size();
  const std::size_t more_packets = encoder.handed[1].size();
  session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 2000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
  assert_int_equal(ready_videos(machine).size(), 2);
  assert_true(movie_is(file_of(machine, ready_videos(machine)[1]),
                       from(encoder, more_pictures, more_packets)));
}

// Three calls before the owner has looked once.
void start_stop_start_in_a_row_gives_one_empty_and_one_video(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 2400);
  const std::int32_t index = worker.stream_index();
  auto first = recorder::start_recording(worker.state(), machine.clock, index, 0);
  assert_true(bool{recorder::stop_recording(worker.state(), machine.clock, index)});
  auto second = recorder::start_recording(worker.state(), machine.clock, index, 0);
  assert_true(bool{first} && bool{second});
  assert_true(first.value().recording.slug.view() != second.value().recording.slug.view());
  auto again = recorder::start_recording(worker.state(), machine.clock, index, 0);
  assert_true(again.value().recording.slug.view() == second.value().recording.slug.view());
  worker.recorder().woken();
  worker.settle();
  publish_until(worker, encoder, 5000);
  stop(worker);
  run_out(worker);
  assert_int_equal(machine.catalog.videos.size(), 2);
  const std::string empty(first.value().recording.slug.view());
  assert_string_equal(machine.catalog.videos[empty].error.c_str(), "nothing_received");
  assert_int_equal(ready_videos(machine).size(), 1);
  const Movie movie = read_movie(file_of(machine, ready_videos(machine)[0]));
  assert_true(movie.samples[0].at(0).bytes == encoder.handed[0][50].bytes);
  assert_int_equal(movie.samples[0].size(), 75);
}

void stop_before_the_first_sample_keeps_nothing(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  Worker worker(machine);
  worker.tick();
  recorder::Session* session = worker.publish();
  worker.settle();
  start(worker);
  assert_int_equal(worker.recordings().at(0).state, RecordingState::kActive);
  stop(worker);
  run_out(worker);
  assert_int_equal(machine.catalog.videos.size(), 1);
  assert_string_equal(machine.catalog.videos.begin()->second.status.c_str(), "error");
  assert_string_equal(machine.catalog.videos.begin()->second.error.c_str(), "nothing_received");
  assert_int_equal(machine.spooled().size() + machine.stored().size(), 0);
  worker.recorder().end(session, SessionEnd::kInterrupted);
}

void short_recording_is_removed(void**) {
  Machine machine;
  machine.rules.min_duration_ms = 10000;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 9900);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
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
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 9400);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
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
    recorder::Session* session = worker.publish();
    encoder.connect(session);
    publish_until(worker, encoder, 3000);
    worker.recorder().end(session, SessionEnd::kInterrupted);
    worker.ticks(20);
    session = worker.publish();
    encoder.connect(session, 5000000);
    publish_until(worker, encoder, 3000);
    worker.recorder().end(session, SessionEnd::kInterrupted);
    run_out(worker);
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

// Recovery of a slow disk must not count as time without media.
void gap_ends_with_the_first_message_of_the_next_publish(void**) {
  Machine machine;
  machine.rules.keep_gap = 1;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 2900);
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
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
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
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 3000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.ticks(61);
  const std::size_t pictures = encoder.handed[0].size(), packets = encoder.handed[1].size();
  session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 2000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
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
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 3000);
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
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  publish_until(worker, encoder, 3000);
  run_out(worker);
  run_out(worker);
  assert_int_equal(machine.catalog.videos.size(), 1);
  assert_true(movie_is(file_of(machine, ready_videos(machine).at(0)), encoder.handed));
  const std::size_t pictures = encoder.handed[0].size(), packets = encoder.handed[1].size();
  publish_until(worker, encoder, 6000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  run_out(worker);
  assert_int_equal(machine.catalog.videos.size(), 2);
  assert_true(
      movie_is(file_of(machine, ready_videos(machine).at(1)), from(encoder, pictures, packets)));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(auto_record_saves_all_from_the_first_message),
      cmocka_unit_test(audio_alone_and_video_alone_are_recorded),
      cmocka_unit_test(slow_catalogue_delays_the_news_only),
      cmocka_unit_test(recording_that_the_settings_forbid_leaves_nothing),
      cmocka_unit_test(publisher_that_leaves_before_the_catalogue_answers_is_saved),
      cmocka_unit_test(setting_that_was_not_known_in_time_counts),
      cmocka_unit_test(encoder_that_returns_while_the_settings_are_asked_is_let_in),
      cmocka_unit_test(start_before_the_settings_are_known_is_kept),
      cmocka_unit_test(row_of_a_recording_arrives_when_the_catalogue_is_back),
      cmocka_unit_test(setting_of_the_stream_wins_over_the_application),
      cmocka_unit_test(manual_start_reaches_back_to_the_key_frame),
      cmocka_unit_test(manual_start_without_preroll_waits_for_a_key_frame),
      cmocka_unit_test(recording_begun_again_after_a_stop_reaches_back_to_the_key_frame),
      cmocka_unit_test(preroll_without_its_key_frame_is_none),
      cmocka_unit_test(stopped_stream_is_recorded_again_with_its_next_publish),
      cmocka_unit_test(start_stop_start_in_a_row_gives_one_empty_and_one_video),
      cmocka_unit_test(stop_before_the_first_sample_keeps_nothing),
      cmocka_unit_test(short_recording_is_removed),
      cmocka_unit_test(long_recording_is_divided_at_a_key_frame),
      cmocka_unit_test(interruption_inside_the_window_is_one_video),
      cmocka_unit_test(gap_ends_with_the_first_message_of_the_next_publish),
      cmocka_unit_test(interruption_longer_than_the_window_makes_two_videos),
      cmocka_unit_test(goodbye_ends_at_once_where_the_application_says_so),
      cmocka_unit_test(second_publisher_of_a_name_has_no_claim),
      cmocka_unit_test(silence_of_the_window_ends_the_recording_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
