// What becomes of a recording's file when somebody comes back to it.
#include <algorithm>
#include <cerrno>
#include <optional>

#include "test_recorder_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::SessionEnd;

// Zeros are the holes of a power cut. None came between one connection and the next, nor when a
// worker was killed, whatever the media look like.
void reconnect_searches_no_holes(void**) {
  for (const bool killed : {false, true}) {
    Machine machine;
    Encoder encoder;
    encoder.picture_size = 3000;
    std::optional<Worker> worker(std::in_place, machine);
    worker->tick();
    recorder::Session* session = publish_for(*worker, encoder, 3000);
    if (!killed) {
      worker->recorder().end(session, SessionEnd::kInterrupted);
      worker->settle();
    }
    worker.reset();
    // In the pictures of the last fragment.
    Bytes& bytes = machine.memory.find("/" + machine.spooled().at(0))->bytes;
    const std::size_t hole = (bytes.size() - 20000) / 512 * 512;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(hole), 512, std::uint8_t{0});
    worker.emplace(machine);
    worker->ticks(2);
    end_for_good(*worker, publish_for(*worker, encoder, 2000, 100000));
    assert_int_equal(ready_videos(machine).size(), 1);
    const Movie movie = read_movie(file_of(machine, ready_videos(machine)[0]));
    assert_int_equal(movie.samples[0].size(), encoder.handed[0].size());
    assert_int_equal(movie.samples[1].size(), encoder.handed[1].size());
  }
}

// Where the n-th moof of a file begins, counting from 0.
std::size_t moof_at(const Bytes& file, int n) {
  const std::string type = "moof";
  auto at = file.begin();
  for (; n >= 0; --n) {
    at = std::search(at + 1, file.end(), type.begin(), type.end());
  }
  return static_cast<std::size_t>(at - file.begin()) - 4;
}

// One byte of a file is damaged while nobody holds it: what is behind it is not thrown away, and
// people are told.
void what_is_behind_damage_is_kept_beside(void**) {
  for (const bool restarted : {false, true}) {
    for (const bool header : {false, true}) {
      Machine machine;
      Encoder encoder;
      std::optional<Worker> worker(std::in_place, machine);
      worker->tick();
      publish_for(*worker, encoder, 6000);
      const std::string path = machine.spooled().at(0);
      worker.reset();
      machine.disk.settle();
      const Bytes whole = machine.memory.read("/" + path);
      const std::size_t at = moof_at(whole, 2);
      // In the number of the fragment, or in the type of the box.
      machine.memory.find("/" + path)->bytes.at(at + (header ? 5 : 20)) ^= 1;
      machine.disk.settle();
      const Bytes damaged = machine.memory.read("/" + path);
      if (restarted) {
        machine.runtime.wipe();
      }
      worker.emplace(machine);
      run_out(*worker);
      const Bytes kept = machine.memory.read("/" + path + ".torn");
      assert_true(kept == Bytes(damaged.begin() + static_cast<std::ptrdiff_t>(at), damaged.end()));
      assert_int_equal(ready_videos(machine).size(), 1);
      const Movie movie = read_movie(file_of(machine, ready_videos(machine)[0]));
      assert_true(movie.samples[0].size() >= 25);
      assert_int_equal(machine.log.count("/" + path + " is damaged at byte " + std::to_string(at) +
                                         ": " + std::to_string(kept.size()) + " bytes"),
                       1);
      assert_int_equal(machine.log.count("cut off"), 0);
    }
  }
}

// As a kill in the middle of a write leaves it: nothing is worth keeping, but it is told.
void torn_fragment_is_cut_off_and_told_of(void**) {
  Machine machine;
  Encoder encoder;
  std::optional<Worker> worker(std::in_place, machine);
  worker->tick();
  publish_for(*worker, encoder, 6000);
  const std::string path = machine.spooled().at(0);
  worker.reset();
  Bytes& bytes = machine.memory.find("/" + path)->bytes;
  bytes.resize(bytes.size() - 100);
  machine.disk.settle();
  machine.runtime.wipe();
  worker.emplace(machine);
  run_out(*worker);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_int_equal(machine.spooled().size(), 0);
  assert_int_equal(machine.log.count(path + ": its last fragment was not whole; "), 1);
}

// The space for what is to be kept is not there: nothing is thrown away, and it is tried again.
void damaged_file_is_left_whole_until_its_rest_can_be_kept(void**) {
  Machine machine;
  Encoder encoder;
  std::optional<Worker> worker(std::in_place, machine);
  worker->tick();
  publish_for(*worker, encoder, 6000);
  const std::string path = machine.spooled().at(0);
  worker.reset();
  const std::size_t at = moof_at(machine.memory.read("/" + path), 2);
  machine.memory.find("/" + path)->bytes.at(at + 5) ^= 1;
  machine.disk.settle();
  const Bytes damaged = machine.memory.read("/" + path);
  machine.disk.inject({Call::kWrite, 1, ENOSPC, 100, true, false});
  worker.emplace(machine);
  run_out(*worker);
  assert_int_equal(machine.spooled().size(), 1);
  assert_true(machine.memory.read("/" + path) == damaged);
  machine.disk.clear_faults();
  worker->ticks(30);
  assert_int_equal(ready_videos(machine).size(), 1);
  assert_true(machine.memory.read("/" + path + ".torn") ==
              Bytes(damaged.begin() + static_cast<std::ptrdiff_t>(at), damaged.end()));
}

// The disk does not answer for a while when nginx starts: a file that cannot be looked at, or a
// spool that cannot be listed, is not one that is not there.
void what_cannot_be_read_is_looked_for_until_it_can(void**) {
  for (const bool whole_spool : {false, true}) {
    Machine machine;
    machine.rules.reconnect_window_ms = 5000;
    Encoder encoder;
    std::optional<Worker> worker(std::in_place, machine);
    worker->tick();
    publish_for(*worker, encoder, 3000);
    worker.reset();
    machine.disk.settle();
    machine.runtime.wipe();
    const auto spool = machine.memory.find("/spool");
    if (whole_spool) {
      machine.memory.root()->entries.erase("spool");
    } else {
      machine.disk.inject({Call::kOpen, 1, EIO, 0, true, false});
    }
    worker.emplace(machine);
    worker->ticks(100);
    assert_int_equal(machine.catalog.videos.size(), 1);
    assert_string_equal(machine.catalog.videos.begin()->second.status.c_str(), "pending");
    assert_int_equal(worker->recordings().size(), 0);
    assert_int_equal(machine.log.count("cannot be read, and is tried again"), 1);
    machine.disk.clear_faults();
    machine.memory.root()->entries["spool"] = spool;
    worker->ticks(20);
    assert_int_equal(ready_videos(machine).size(), 1);
    const Movie movie = read_movie(file_of(machine, ready_videos(machine)[0]));
    assert_true(movie.samples[0].size() >= 50);
  }
}

// Its stream was deleted meanwhile: the row is not pending for ever.
void row_of_a_deleted_stream_is_settled(void**) {
  Machine machine;
  catalog::VideoRow& row = machine.catalog.videos["lost"];
  row.id = 900;
  row.slug = "lost";
  row.stream_id = 77;
  row.status = "pending";
  Worker worker(machine);
  worker.ticks(3);
  assert_string_equal(machine.catalog.videos["lost"].status.c_str(), "error");
  assert_string_equal(machine.catalog.videos["lost"].error.c_str(), "stream_deleted");
  assert_int_equal(machine.log.count("recording.discarded"), 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reconnect_searches_no_holes),
      cmocka_unit_test(what_is_behind_damage_is_kept_beside),
      cmocka_unit_test(torn_fragment_is_cut_off_and_told_of),
      cmocka_unit_test(damaged_file_is_left_whole_until_its_rest_can_be_kept),
      cmocka_unit_test(what_cannot_be_read_is_looked_for_until_it_can),
      cmocka_unit_test(row_of_a_deleted_stream_is_settled),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
