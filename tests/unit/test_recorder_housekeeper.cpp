// Start and stop in every state, and what nobody owns.
#include <cerrno>
#include <optional>

#include "recorder/control.hpp"
#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;
using runtime::RecordingState;

void control_answers_by_the_state(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  machine.catalog.down = true;
  Worker worker(machine);
  const auto start = [&](std::int32_t index, std::int64_t min_free = 0) {
    return recorder::start_recording(worker.state(), machine.clock, index, min_free);
  };
  const auto stop = [&] {
    return recorder::stop_recording(worker.state(), machine.clock, worker.stream_index());
  };
  const auto refused = [](Result<recorder::Control> got, Errc code, const char* word) {
    return !got && got.error().code == code && got.error().message.rfind(word, 0) == 0;
  };
  assert_true(refused(start(0), Errc::kNotFound, "stream_not_found: "));
  assert_true(refused(recorder::stop_recording(worker.state(), machine.clock, 99), Errc::kNotFound,
                      "stream_not_found: "));

  recorder::Session* session = worker.publish();
  worker.settle();
  const std::int32_t index = worker.stream_index();
  assert_true(refused(start(index), Errc::kUnavailable, "catalog_unavailable: "));
  assert_int_equal(worker.recordings().size(), 0);  // nothing half made is left

  machine.catalog.down = false;
  worker.ticks(3);
  worker.state().shared_gauges()->spool_free_bytes.set(5);
  assert_true(refused(start(index, 6), Errc::kNoSpace, "no_space: "));
  assert_true(bool{start(index, 5)});

  // Requested, active, interrupted: the same one again, and a manual one stays wanted.
  const auto same = [&](RecordingState state) {
    auto again = start(index);
    assert_true(bool{again});
    assert_true(again.value().recording.state == state);
    assert_int_equal(worker.recordings().size(), 1);
    assert_int_equal(again.value().stream.wanted, 1);
  };
  same(RecordingState::kRequested);
  worker.recorder().woken();
  same(RecordingState::kActive);
  assert_int_equal(start(index).value().wake_pid, ::getpid());
  Encoder encoder;
  encoder.connect(session);
  publish_until(worker, encoder, 1000);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.settle();
  same(RecordingState::kInterrupted);

  auto stopped = stop();
  assert_true(bool{stopped});
  assert_int_equal(stopped.value().recording.in_use, 1);
  assert_true(stopped.value().recording.state == RecordingState::kEnding);
  assert_int_equal(stopped.value().wake_pid, 0);  // the housekeeper's
  auto nothing = stop();
  assert_true(bool{nothing});
  assert_int_equal(nothing.value().recording.in_use, 0);
  assert_true(refused(start(index), Errc::kConflict, "stream_not_live: "));
  worker.ticks(3);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_int_equal(worker.recordings().size(), 0);
}

void stream_that_cannot_be_described_is_refused(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  Worker worker(machine);
  worker.ticks(2);
  recorder::Session* session = worker.publish();
  for (int i = 0; i < 30; ++i) {
    send(*session, media::TrackKind::kVideo, 0, {0x12, 1, 2, 3, 4, 5, 6, 7});
    worker.tick(100);
  }
  auto got = recorder::start_recording(worker.state(), machine.clock, worker.stream_index(), 0);
  assert_false(bool{got});
  assert_true(got.error().message.rfind("no_codec_configuration: ", 0) == 0);
  assert_int_equal(machine.log.count("cannot be recorded"), 1);
}

void full_zone_is_an_answer_and_no_harm(void**) {
  Machine machine;
  machine.rules.reconnect_window_ms = 600000;
  Worker worker(machine);
  worker.ticks(2);
  std::vector<recorder::Session*> sessions;
  for (int i = 0;; ++i) {
    recorder::Session* session = worker.publish("s" + std::to_string(i));
    if (session == nullptr) {
      break;
    }
    assert_true(i < 1000);
    sessions.push_back(session);
  }
  assert_int_equal(machine.log.count("cannot be recorded"), 1);
  assert_true(sessions.size() > 3);
  for (recorder::Session* session : sessions) {
    worker.recorder().end(session, SessionEnd::kInterrupted);
  }
  worker.ticks(3);
  assert_non_null(worker.publish("again"));
}

void ids_are_leased_in_time(void**) {
  Machine machine;
  machine.catalog.down = true;
  machine.rules.reconnect_window_ms = 0;
  Worker worker(machine);
  worker.ticks(3);
  Encoder encoder;
  recorder::Session* session = worker.publish();
  worker.settle();
  encoder.connect(session);
  publish_until(worker, encoder, 1000);
  assert_int_equal(worker.recordings().at(0).video_id, 0);
  machine.catalog.down = false;
  worker.ticks(3);
  assert_true(worker.recordings().at(0).video_id > 0);
  const auto ids = worker.state().shared_gauges()->video_ids;
  assert_true(ids.end - ids.next >= 64);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.ticks(20);
  assert_true(ready_videos(machine).at(0).id > 0);
}

// After a restart of the machine the state is empty and the file tells all.
void file_in_the_spool_is_found_after_a_restart(void**) {
  for (const bool in_time : {true, false}) {
    Machine machine;
    Encoder encoder;
    std::string slug, transaction;
    {
      Worker worker(machine);
      worker.tick();
      publish_for(worker, encoder, 3000);
      slug = worker.recordings().at(0).slug.view();
      transaction = worker.recordings().at(0).transaction_id.view();
    }
    machine.disk.cut_power();
    machine.runtime.wipe();
    machine.clock.advance(in_time ? 20000 : 100000);
    Worker worker(machine);
    worker.ticks(2);
    if (in_time) {
      assert_true(worker.recordings().at(0).state == RecordingState::kInterrupted);
      assert_string_equal(std::string(worker.recordings()[0].slug.view()).c_str(), slug.c_str());
      Encoder again(2);
      recorder::Session* session = worker.publish();
      again.connect(session);
      publish_until(worker, again, 2000);
      end_for_good(worker, session);
      const Movie movie = read_movie(file_of(machine, ready_videos(machine).at(0)));
      assert_true(movie.samples[0].size() >= again.handed[0].size() + 25);
      assert_true(movie.samples[0].back().bytes == again.handed[0].back().bytes);
    } else {
      worker.ticks(5);
    }
    assert_int_equal(ready_videos(machine).size(), 1);
    const auto row = ready_videos(machine)[0];
    assert_string_equal(row.slug.c_str(), slug.c_str());
    assert_string_equal(row.transaction_id.c_str(), transaction.c_str());
    const Movie movie = read_movie(file_of(machine, row));
    assert_true(movie.samples[0].size() >= 25);
    for (std::size_t i = 0; i < 25; ++i) {
      assert_true(movie.samples[0][i].bytes == encoder.handed[0][i].bytes);
    }
    assert_int_equal(machine.spooled().size(), 0);
  }
}

// The encoder is back before the spool has been searched: what it sends belongs to the recording
// that is found there, as with any other interruption.
void encoder_that_is_back_before_the_search_continues(void**) {
  enum class Case { kInTime, kTooLate, kManual, kKilledAgain };
  for (const Case how : {Case::kInTime, Case::kTooLate, Case::kManual, Case::kKilledAgain}) {
    Machine machine;
    machine.rules.auto_record = how != Case::kManual;
    Encoder encoder;
    std::string slug;
    {
      Worker worker(machine);
      worker.tick();
      recorder::Session* session = worker.publish();
      encoder.connect(session);
      worker.settle();
      if (how == Case::kManual) {
        (void)recorder::start_recording(worker.state(), machine.clock, worker.stream_index(), 0);
        worker.recorder().woken();
      }
      publish_until(worker, encoder, 3000);
      slug = worker.recordings().at(0).slug.view();
      worker.recorder().end(session, SessionEnd::kInterrupted);
      worker.settle();
    }
    machine.disk.cut_power();
    machine.runtime.wipe();
    machine.clock.advance(how == Case::kTooLate ? 100000 : 20000);
    std::optional<Worker> worker(std::in_place, machine);
    recorder::Session* session = worker->publish();
    encoder.connect(session, 900000);
    encoder.run_until(1500);
    worker->catalog_io.drain();  // the settings are known first
    encoder.run_until(2000);
    assert_int_equal(machine.log.count("recording.started"), 1);  // that before the restart
    if (how == Case::kKilledAgain) {
      worker.emplace(machine);
      worker->ticks(2);
      session = worker->publish();
      encoder.connect(session, 1900000);
    }
    worker->ticks(2);
    publish_until(*worker, encoder, 4000);
    worker->recorder().end(session, SessionEnd::kInterrupted);
    worker->ticks(70);
    const auto rows = ready_videos(machine);
    if (how == Case::kInTime || how == Case::kManual) {
      assert_int_equal(rows.size(), 1);
      assert_true(movie_is(file_of(machine, rows[0]), encoder.handed));
    } else {
      assert_int_equal(rows.size(), 2);
      std::size_t pictures = 0;
      for (const auto& row : rows) {
        pictures += read_movie(file_of(machine, row)).samples[0].size();
      }
      assert_int_equal(pictures, encoder.handed[0].size());
    }
    assert_string_equal(rows[0].slug.c_str(), slug.c_str());
    assert_int_equal(machine.spooled().size(), 0);
    assert_int_equal(worker->recordings().size(), 0);
  }
}

// Several parts of one broadcast are in the spool: the first has not been finished yet.
void parts_found_in_the_spool_are_put_in_order(void**) {
  for (const bool in_time : {true, false}) {
    Machine machine;
    machine.rules.max_duration_ms = 2500;
    machine.rules.min_duration_ms = 4000;  // of the whole
    Encoder encoder;
    {
      Worker worker(machine);
      worker.tick();
      publish_for(worker, encoder, 2900);
      machine.disk.inject({Call::kRename, 1, EIO, 0, true, false});
      publish_until(worker, encoder, 4600);
    }
    machine.disk.clear_faults();
    machine.disk.cut_power();
    machine.runtime.wipe();
    machine.clock.advance(in_time ? 20000 : 100000);
    Worker worker(machine);
    worker.ticks(2);
    if (in_time) {
      recorder::Session* session = worker.publish();
      encoder.connect(session, 500000);
      publish_until(worker, encoder, 1000);
      worker.recorder().end(session, SessionEnd::kInterrupted);
    }
    worker.ticks(70);
    const auto rows = ready_videos(machine);
    assert_int_equal(rows.size(), 2);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      assert_int_equal(rows[i].sequence, i + 1);
      assert_int_equal(rows[i].last_sequence, i == 1);
      assert_string_equal(rows[i].transaction_id.c_str(), rows[0].transaction_id.c_str());
    }
    const Movie last = read_movie(file_of(machine, rows[1]));
    assert_int_equal(last.samples[0].back().bytes == encoder.handed[0].back().bytes, in_time);
  }
}

// The later part was finished, and only the catalogue knows of it.
void part_whose_later_part_is_finished_is_not_the_last(void**) {
  Machine machine;
  machine.rules.max_duration_ms = 2500;
  Encoder encoder;
  {
    Worker worker(machine);
    worker.tick();
    recorder::Session* session = publish_for(worker, encoder, 4000);
    end_for_good(worker, session);
  }
  // As if the power had failed in front of the first one's move to the storage.
  const catalog::VideoRow first = ready_videos(machine).at(0);
  const Bytes file = file_of(machine, first);
  machine.memory.put("/spool/" + first.slug + "/source.mp4", file);
  assert_true(bool{machine.memory.remove("/videos/" + first.path + "/source.mp4")});
  machine.catalog.videos.erase(first.slug);
  machine.disk.settle();
  machine.runtime.wipe();
  Worker worker(machine);
  worker.ticks(5);
  const auto rows = ready_videos(machine);
  assert_int_equal(rows.size(), 2);
  assert_string_equal(rows[0].slug.c_str(), first.slug.c_str());
  assert_false(rows[0].last_sequence);
  assert_true(rows[1].last_sequence);
  assert_true(file_of(machine, rows[0]) == file);
}

// The state was set aside (another version of this software), but the journals are there: what a
// kill left in them belongs to the file found in the spool.
void journal_of_a_file_found_in_the_spool_is_added(void**) {
  Machine machine;
  Encoder encoder;
  {
    Worker worker(machine);
    worker.tick();
    publish_for(worker, encoder, 3500);
  }
  ::remove((machine.runtime.path() + "/state").c_str());
  Worker worker(machine);
  worker.ticks(80);
  assert_true(movie_is(file_of(machine, ready_videos(machine).at(0)), encoder.handed));
}

void unreadable_file_in_the_spool_is_told_and_kept(void**) {
  Machine machine;
  machine.memory.put("/spool/strange/source.mp4", Bytes(3000, 0x55));
  machine.memory.put("/spool/other/notes.txt", Bytes(10, 0x55));
  Worker worker(machine);
  worker.ticks(30);
  assert_int_equal(machine.log.count("/spool/strange/source.mp4"), 1);
  std::size_t kept = 0;
  for (const std::string& path : machine.spooled()) {
    kept += machine.memory.read(path) == Bytes(3000, 0x55) ? 1U : 0U;
  }
  assert_int_equal(kept, 1);
  assert_true(machine.memory.exists("/spool/other/notes.txt"));
  assert_int_equal(machine.catalog.videos.size(), 0);
}

// Two workers of one machine: one publishes, the other keeps house.
void recording_of_a_living_worker_is_never_touched(void**) {
  Machine machine;
  machine.rules.reconnect_window_ms = 2000;
  Worker keeper(machine);
  keeper.tick();
  Worker publisher(machine);
  Encoder encoder;
  recorder::Session* session = publisher.publish();
  publisher.settle();
  encoder.connect(session);
  for (std::uint64_t ms = 200; ms <= 9000; ms += 200) {
    publish_until(publisher, encoder, ms);
    keeper.recorder().tick();
    keeper.settle();
  }
  assert_true(keeper.recordings().at(0).state == RecordingState::kActive);
  publisher.recorder().end(session, SessionEnd::kInterrupted);  // its last job has not run
  for (int i = 0; i < 10; ++i) {
    keeper.tick();
  }
  assert_int_equal(ready_videos(machine).size(), 0);
  publisher.settle();
  keeper.ticks(5);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
}

// The housekeeper dies; another worker takes its place.
void house_is_kept_by_the_next_worker(void**) {
  Machine machine;
  Encoder encoder;
  std::optional<Worker> first(std::in_place, machine);
  first->tick();
  Worker second(machine);
  second.tick();
  encoder.connect(first->publish());
  publish_until(*first, encoder, 2000);
  first.reset();
  second.ticks(80);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
  assert_int_equal(machine.runtime.names("journal.").size(), 1);  // its own
}

// The disk cannot be written for longer than the journals of the dead are looked at.
void journal_is_kept_until_it_has_been_added(void**) {
  Machine machine;
  Encoder encoder;
  {
    Worker worker(machine);
    worker.tick();
    publish_for(worker, encoder, 2500);
  }
  Worker worker(machine);
  machine.disk.inject({Call::kAnyChange, 1, EIO, 0, true, false});
  worker.tick();
  recorder::Session* session = worker.publish();
  worker.settle();
  encoder.connect(session, 9000000);
  publish_until(worker, encoder, 1000);
  for (int i = 0; i < 40; ++i) {
    encoder.run_until(1000 + static_cast<std::uint64_t>(i) * 200);
    worker.tick(200);
  }
  worker.ticks(25);
  machine.disk.clear_faults();
  worker.ticks(20);
  worker.recorder().end(session, SessionEnd::kInterrupted);
  worker.ticks(80);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(movie_is(file_of(machine, ready_videos(machine)[0]), encoder.handed));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(control_answers_by_the_state),
      cmocka_unit_test(stream_that_cannot_be_described_is_refused),
      cmocka_unit_test(full_zone_is_an_answer_and_no_harm),
      cmocka_unit_test(ids_are_leased_in_time),
      cmocka_unit_test(file_in_the_spool_is_found_after_a_restart),
      cmocka_unit_test(encoder_that_is_back_before_the_search_continues),
      cmocka_unit_test(parts_found_in_the_spool_are_put_in_order),
      cmocka_unit_test(part_whose_later_part_is_finished_is_not_the_last),
      cmocka_unit_test(journal_of_a_file_found_in_the_spool_is_added),
      cmocka_unit_test(unreadable_file_in_the_spool_is_told_and_kept),
      cmocka_unit_test(recording_of_a_living_worker_is_never_touched),
      cmocka_unit_test(house_is_kept_by_the_next_worker),
      cmocka_unit_test(journal_is_kept_until_it_has_been_added),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
