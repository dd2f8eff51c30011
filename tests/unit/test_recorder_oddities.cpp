// Sources that change, leap, flood or lie: the recording goes on, or another one does.
#include <optional>

#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using media::TrackKind;
using recorder::SessionEnd;

// A video track with another size: all of it stays one video.
void change_of_the_source_stays_one_video(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 2000);
  encoder.width = 40;
  encoder.headers();
  publish_until(worker, encoder, 4000);
  end_for_good(worker, session);
  const auto rows = ready_videos(machine);
  assert_int_equal(rows.size(), 1);
  assert_false(rows[0].uniform);
  assert_true(movie_is(file_of(machine, rows[0]), encoder.handed));
}

Bytes mp3_frame() {
  Bytes frame(418, 0x55);
  frame[0] = 0xFF;  // MPEG 1, layer III, 128 kbit/s, 44.1 kHz, stereo
  frame[1] = 0xFB;
  frame[2] = 0x90;
  frame[3] = 0x00;
  return frame;
}

// Sends what the file in progress cannot take, then more of what it can.
void send_mp3(Encoder& encoder, recorder::Session& session, std::uint32_t from_ms,
              std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    Bytes message{0x2F};
    const Bytes frame = mp3_frame();
    put_bytes(message, frame);
    encoder.handed[1].push_back({from_ms + i * 26, 0, true, frame, 99});
    send(session, TrackKind::kAudio, from_ms + i * 26, message);
  }
}

// All that was handed in, in that many parts of one broadcast.
void assert_parts(const Machine& machine, const Encoder& encoder, std::size_t count) {
  const auto rows = ready_videos(machine);
  assert_int_equal(rows.size(), count);
  recorder::PerKind<std::size_t> at{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Movie movie = read_movie(file_of(machine, rows[i]));
    assert_true(movie.readable);
    for (std::size_t kind = 0; kind < 2; ++kind) {
      for (const Mp4Sample& sample : movie.samples[kind]) {
        assert_true(sample.bytes == encoder.handed[kind].at(at[kind]++).bytes);
      }
    }
    assert_int_equal(rows[i].sequence, i + 1);
    assert_int_equal(rows[i].last_sequence, i + 1 == rows.size());
    assert_string_equal(rows[i].transaction_id.c_str(), rows[0].transaction_id.c_str());
  }
  assert_int_equal(at[0], encoder.handed[0].size());
  assert_int_equal(at[1], encoder.handed[1].size());
}

// Another codec needs another file: a new part of the recording, which is kept though one of them
// is shorter than the minimum.
void change_of_codec_begins_a_new_part(void**) {
  Machine machine;
  machine.rules.min_duration_ms = 3500;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 2000);
  encoder.audio = false;
  send_mp3(encoder, *session, 2000, 100);
  publish_until(worker, encoder, 5000);
  end_for_good(worker, session);
  run_out(worker);
  assert_int_equal(worker.recordings().size(), 0);
  assert_parts(machine, encoder, 2);
}

// The encoder comes back with MP3 instead of AAC, or begins to send it while the recording is held
// by somebody whose disk is slow.
void change_of_codec_across_a_reconnect_begins_a_new_part(void**) {
  enum class Case { kPlain, kHeldUp, kChangesWhileHeldUp, kKilled, kRebooted };
  for (const Case how :
       {Case::kPlain, Case::kHeldUp, Case::kChangesWhileHeldUp, Case::kKilled, Case::kRebooted}) {
    Machine machine;
    std::optional<Worker> worker(std::in_place, machine);
    worker->ticks(2);
    Encoder encoder;
    recorder::Session* session = worker->publish();
    encoder.connect(session);
    publish_until(*worker, encoder, 2000);
    const bool held_up = how == Case::kHeldUp || how == Case::kChangesWhileHeldUp;
    worker->recorder().end(session, SessionEnd::kInterrupted);
    if (!held_up) {
      worker->settle();
    }
    if (how == Case::kKilled) {
      worker.emplace(machine);
    } else if (how == Case::kRebooted) {
      worker.reset();
      machine.disk.cut_power();
      machine.runtime.wipe();
      worker.emplace(machine);
      worker->ticks(2);
    }
    machine.clock.advance(3000);
    session = worker->publish();
    encoder.audio = how == Case::kChangesWhileHeldUp;
    encoder.connect(session, 700000);
    if (how == Case::kChangesWhileHeldUp) {
      encoder.run_until(500);
      encoder.audio = false;
    }
    const std::uint32_t at = how == Case::kChangesWhileHeldUp ? 700500 : 700000;
    send_mp3(encoder, *session, at, 40);
    if (held_up) {
      worker->settle();
      worker->recorder().woken();
    }
    publish_until(*worker, encoder, 1600);
    send_mp3(encoder, *session, 701600, 40);
    publish_until(*worker, encoder, 3000);
    worker->recorder().end(session, SessionEnd::kInterrupted);
    run_out(*worker);
    assert_parts(machine, encoder, 2);
  }
}

void no_timestamp_stops_the_recording(void**) {
  for (const std::uint32_t jump : {0x7FFFFFF0U, 6U * 3600000U, 0xFFFFF000U, 0x80000000U}) {
    Machine machine;
    machine.rules.max_duration_ms = 0;
    Worker worker(machine);
    worker.tick();
    Encoder encoder;
    recorder::Session* session = publish_for(worker, encoder, 2000);
    for (std::uint32_t i = 0; i < 100; ++i) {
      encoder.picture(2000 + jump + i * 40, i % 25 == 0);
      machine.clock.advance(40);
      if (i % 25 == 0) {
        worker.tick(0);
      }
    }
    end_for_good(worker, session);
    assert_int_equal(worker.recordings().size(), 0);
    const auto rows = ready_videos(machine);
    assert_int_equal(rows.size(), 1);
    const Movie movie = read_movie(file_of(machine, rows[0]));
    assert_int_equal(movie.samples[0].size(), encoder.handed[0].size());
    assert_int_equal(movie.samples[1].size(), encoder.handed[1].size());
  }
}

// Many tiny messages of one instant.
void flood_of_tiny_samples_is_recorded(void**) {
  Machine machine;
  machine.rules.buffer_bytes = 32 << 20;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  encoder.video = false;
  encoder.packet_size = 1;
  recorder::Session* session = worker.publish();
  encoder.connect(session);
  worker.settle();
  for (int i = 0; i < 70000; ++i) {
    encoder.packet(5);
  }
  worker.settle();
  end_for_good(worker, session);
  assert_int_equal(worker.recordings().size(), 0);
  const Movie movie = read_movie(file_of(machine, ready_videos(machine).at(0)));
  assert_int_equal(movie.samples[1].size(), 70000);
}

void unreadable_file_ends_its_recording_only(void**) {
  Machine machine;
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  recorder::Session* session = publish_for(worker, encoder, 2000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.settle();
  const std::string path = machine.spooled().at(0);
  machine.memory.put(path, Bytes(5000, 0xEE));
  const std::size_t pictures = encoder.handed[0].size(), packets = encoder.handed[1].size();
  session = publish_for(worker, encoder, 1000);
  const std::size_t more = encoder.handed[0].size();
  publish_until(worker, encoder, 5000);
  end_for_good(worker, session);
  const auto spooled = machine.spooled();  // there, or set aside beside it
  assert_int_equal(std::count_if(spooled.begin(), spooled.end(),
                                 [&](const std::string& left) {
                                   return left.rfind(path, 0) == 0 &&
                                          machine.memory.read(left) == Bytes(5000, 0xEE);
                                 }),
                   1);
  assert_int_equal(machine.log.count("left as it is"), 1);
  assert_int_equal(machine.log.count("recording.discarded"), 1);
  assert_int_equal(worker.recordings().size(), 0);
  assert_int_equal(worker.stream().recording, runtime::kNone);
  // What follows is a recording of its own.
  assert_int_equal(ready_videos(machine).size(), 1);
  const Movie movie = read_movie(file_of(machine, ready_videos(machine)[0]));
  assert_true(movie.samples[0].at(0).key);
  assert_true(movie.samples[0].size() >= encoder.handed[0].size() - more);
  (void)pictures;
  (void)packets;
}

void frame_rates_of_any_value_may_be_declared(void**) {
  Machine machine;
  Worker worker(machine);
  recorder::Session* session = worker.publish();
  for (const double rate : {-1.0, 1e300, 0.0 / 0.0, 1.0 / 0.0, 30.0}) {
    session->declare_frame_rate(rate);
  }
  Encoder encoder;
  encoder.connect(session);
  assert_int_equal(worker.stream().session.frame_rate_milli, 30000);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(change_of_the_source_stays_one_video),
      cmocka_unit_test(change_of_codec_begins_a_new_part),
      cmocka_unit_test(change_of_codec_across_a_reconnect_begins_a_new_part),
      cmocka_unit_test(no_timestamp_stops_the_recording),
      cmocka_unit_test(flood_of_tiny_samples_is_recorded),
      cmocka_unit_test(unreadable_file_ends_its_recording_only),
      cmocka_unit_test(frame_rates_of_any_value_may_be_declared),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
