// Start and stop by hand: what is in the video.
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;
using runtime::RecordingState;

void manual_start_reaches_back_to_the_key_frame(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  publish_for(worker, encoder, 5400);
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
  recorder::Session* session = publish_for(worker, encoder, 5400);
  start(worker);
  publish_until(worker, encoder, 8000);
  end_for_good(worker, session);
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
    publish_for(worker, encoder, 2400);
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
  recorder::Session* session = publish_for(worker, encoder, 3400);
  start(worker);
  publish_until(worker, encoder, 5000);
  end_for_good(worker, session);
  const Movie movie = read_movie(file_of(machine, ready_videos(machine).at(0)));
  assert_int_equal(movie.samples[0].size(), 25);
  assert_true(movie.samples[0][0].bytes == encoder.handed[0][100].bytes);
}

void stopped_stream_is_recorded_again_with_its_next_publish(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 2000);
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
  session = publish_for(worker, encoder, 2000);
  end_for_good(worker, session);
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
  publish_for(worker, encoder, 2400);
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

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(manual_start_reaches_back_to_the_key_frame),
      cmocka_unit_test(manual_start_without_preroll_waits_for_a_key_frame),
      cmocka_unit_test(recording_begun_again_after_a_stop_reaches_back_to_the_key_frame),
      cmocka_unit_test(preroll_without_its_key_frame_is_none),
      cmocka_unit_test(stopped_stream_is_recorded_again_with_its_next_publish),
      cmocka_unit_test(start_stop_start_in_a_row_gives_one_empty_and_one_video),
      cmocka_unit_test(stop_before_the_first_sample_keeps_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
