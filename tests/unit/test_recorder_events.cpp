// What happens is told in the log and given to the catalogue's outbox, whatever state that is in.
#include <nlohmann/json.hpp>
#include <string>

#include "test_recorder_support.hpp"

#include "recorder/events.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;
using recorder::Events;
using recorder::make_event;

struct Told {
  CatalogData data;
  QueuedExecutor executor;
  FakeClock clock;
  MemoryLog log;
  catalog::CatalogService catalog{
      executor,
      [this](bool) -> Result<std::unique_ptr<catalog::Catalog>> {
        return std::unique_ptr<catalog::Catalog>(std::make_unique<FakeCatalog>(data));
      },
      1};
  Events events{log, clock, catalog, {"http://h/"}};

  [[nodiscard]] std::string in_outbox() const {
    std::string all;
    for (const catalog::EventRow& event : data.events) {
      all += nlohmann::json::parse(event.body)["type"].get<std::string>() + " ";
    }
    return all;
  }
};

void goes_to_the_log_and_to_the_outbox(void**) {
  Told told;
  told.events.emit("stream.started", {"live", "c\xff", 7}, {});
  told.events.emit("stream.ended", {"live", "cam", 7}, {{"n", std::int64_t{5}}});
  told.executor.drain();
  assert_string_equal(told.in_outbox().c_str(), "stream.started stream.ended ");
  const auto body = nlohmann::json::parse(told.data.events[1].body);
  assert_int_equal(body["data"]["n"].get<int>(), 5);
  assert_int_equal(body["data"]["stream_id"].get<int>(), 7);
  assert_string_equal(body["data"]["stream"].get<std::string>().c_str(), "cam");
  assert_int_equal(told.log.count("event {\"type\":\"stream."), 2);
}

void what_the_catalogue_does_not_take_is_given_again_in_order(void**) {
  Told told;
  told.data.down = true;
  for (int i = 0; i < 250; ++i) {
    told.events.emit(i % 2 == 0 ? "even" : "odd", {"live", "cam"}, {});
    told.executor.drain();
  }
  assert_int_equal(told.data.events.size(), 0);
  told.data.down = false;
  told.events.tick();
  told.executor.drain();
  assert_int_equal(told.data.events.size(), 250);
  for (std::size_t i = 0; i < 250; ++i) {
    assert_true(told.data.events[i].body.find(i % 2 == 0 ? "even" : "odd") != std::string::npos);
  }
}

void an_outcome_has_one_id_whoever_tells_it(void**) {
  const recorder::EventFacts facts = {{"recording_id", std::string("a1")}};
  const auto one = make_event("recording.completed", {"live", "cam"}, facts, 1);
  assert_true(one.id == make_event("recording.completed", {"live", "cam", 4}, facts, 2).id);
  assert_int_equal(one.id.size(), 32);
  assert_true(one.id != make_event("video.viewable", {"live", "cam"}, facts, 1).id);
  assert_true(one.id != make_event("recording.completed", {"live", "cam"},
                                   {{"recording_id", std::string("a2")}}, 1)
                            .id);
  // This may happen several times.
  assert_true(make_event("recording.resumed", {}, facts, 1).id !=
              make_event("recording.resumed", {}, facts, 1).id);
}

// The events of one publish and the next, whatever ended the first.
std::string told_of(Machine& machine) {
  std::string all;
  for (const catalog::EventRow& event : machine.catalog.events) {
    all += nlohmann::json::parse(event.body)["type"].get<std::string>() + " ";
  }
  return all;
}

enum class Ending { kKilled, kStopped };

void recorded_for(Machine& machine, Ending ending, std::uint64_t ms) {
  Worker worker(machine);
  worker.tick();
  Encoder encoder;
  publish_for(worker, encoder, ms);
  if (ending == Ending::kStopped) {
    worker.recorder().leave();
  }
}

void what_a_dead_worker_could_not_tell_is_told_for_it(void**) {
  for (const Ending ending : {Ending::kKilled, Ending::kStopped}) {
    for (const bool housekeeper_is_first : {true, false}) {
      Machine machine;
      recorded_for(machine, ending, 3000);
      const std::int64_t ended = machine.clock.wall_ms();
      machine.clock.advance(2000);
      Worker next(machine);
      if (housekeeper_is_first) {
        next.tick();
        assert_int_equal(next.stream().session.id, 0);
        assert_string_equal(told_of(machine).c_str(),
                            "stream.started recording.started recording.interrupted stream.ended ");
      }
      Encoder encoder;
      publish_for(next, encoder, 1000, 5000);
      assert_string_equal(told_of(machine).c_str(),
                          "stream.started recording.started recording.interrupted stream.ended "
                          "stream.started recording.resumed ");
      assert_in_range(machine.catalog.streams["live/cam"].finished_at, ended - 200, ended + 200);
    }
  }
}

void a_stream_that_was_not_recorded_is_not_live_when_its_worker_died(void**) {
  Machine machine;
  machine.rules.auto_record = 0;
  recorded_for(machine, Ending::kKilled, 1000);
  Worker next(machine);
  assert_true(next.stream().session.id != 0);
  next.tick();
  assert_int_equal(next.stream().session.id, 0);
  next.ticks(3);
  assert_string_equal(told_of(machine).c_str(), "stream.started stream.ended ");
}

void nothing_is_told_of_a_session_that_goes_on(void**) {
  Machine machine;
  Worker worker(machine), housekeeper(machine);
  Encoder encoder;
  publish_for(worker, encoder, 3000);
  housekeeper.ticks(3);
  assert_string_equal(told_of(machine).c_str(), "stream.started recording.started ");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(goes_to_the_log_and_to_the_outbox),
      cmocka_unit_test(what_the_catalogue_does_not_take_is_given_again_in_order),
      cmocka_unit_test(an_outcome_has_one_id_whoever_tells_it),
      cmocka_unit_test(what_a_dead_worker_could_not_tell_is_told_for_it),
      cmocka_unit_test(a_stream_that_was_not_recorded_is_not_live_when_its_worker_died),
      cmocka_unit_test(nothing_is_told_of_a_session_that_goes_on),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
