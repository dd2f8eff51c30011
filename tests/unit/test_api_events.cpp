#include <string>

#include "api/event_feed.hpp"
#include "test_api_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using api::Json;
using test::FakeBackend;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void tells_only_what_has_changed(void**) {
  FakeBackend backend;
  api::EventFeed feed(backend);
  (void)feed.look();
  (void)feed.look();  // the catalogue has answered
  assert_string_equal(feed.look().c_str(), "");
  const auto index = backend.publish("live", "cam", 7);
  const std::string live = feed.look();
  assert_true(
      has(live, "event: stream\ndata: {\"id\":7,\"app\":\"live\",\"name\":\"cam\",\"live\":true"));
  assert_false(has(live, "event: space"));
  assert_string_equal(feed.look().c_str(), "");
  backend.edit([&](auto& state) { state.edit_stream(index).session = {}; });
  assert_string_equal(feed.look().c_str(),
                      "event: stream_gone\ndata: {\"app\":\"live\",\"name\":\"cam\"}\n\n");
}

void all_is_one_event(void**) {
  FakeBackend backend;
  backend.publish("live", "cam", 7);
  api::EventFeed feed(backend);
  (void)feed.look();
  (void)feed.look();
  const std::string all = feed.all();
  const std::string before = "retry: 1000\nevent: state\ndata: ";
  assert_true(all.starts_with(before));
  const Json state = Json::parse(all.substr(before.size()));
  assert_int_equal(state["streams"].size(), 1);
  assert_true(state["space"]["min_free_bytes"] == 1000);
  assert_true(state["catalog"]["version"].is_string());
  assert_true(state["catalog"]["waiting_deliveries"] == 0);
  assert_true(state["catalog"]["waiting_jobs"] == 0 && state["catalog"]["failed_jobs"] == 0);
}

void bit_rate_is_of_what_came(void**) {
  FakeBackend backend;
  const auto index = backend.publish("live", "cam", 7);
  api::EventFeed feed(backend);
  assert_true(has(feed.look(), "\"bit_rate\":null"));
  for (int second = 1; second <= 20; ++second) {
    backend.fake_clock.advance(1000);
    backend.live_state->stream_gauges(index)->bytes_in.set(second * 125'000);
    (void)feed.look();
  }
  assert_true(has(feed.all(), "\"bit_rate\":1000000"));
}

void interrupted_tells_the_seconds_left(void**) {
  FakeBackend backend;
  const auto index = backend.publish("live", "cam", 7);
  (void)call(backend, api::Method::kPut, "streams/7/start_recording");
  backend.edit([&](auto& state) {
    auto& recording = state.edit_recording(state.stream(index)->recording);
    recording.state = runtime::RecordingState::kInterrupted;
    recording.interrupted_ms = backend.fake_clock.monotonic_ms();
    recording.rules.reconnect_window_ms = 60'000;
  });
  backend.fake_clock.advance(20'500);
  api::EventFeed feed(backend);
  assert_true(has(feed.look(), "\"window_left_seconds\":40"));
  backend.fake_clock.advance(100'000);
  assert_true(has(feed.look(), "\"window_left_seconds\":0"));
}

void a_change_of_the_catalogue_is_seen(void**) {
  FakeBackend backend;
  api::EventFeed feed(backend);
  (void)feed.look();
  (void)feed.look();
  assert_string_equal(feed.look().c_str(), "");
  (void)backend.rows->ensure_stream("live", "new");  // by another connection
  const std::string others = feed.look() + feed.look();
  assert_true(has(others, "event: catalog"));
  (void)call(backend, api::Method::kPost, "streams", R"({"app":"live","name":"mine"})");
  const std::string mine = feed.look() + feed.look();
  assert_true(has(mine, "event: catalog"));
}

void without_a_catalogue_the_rest_is_told(void**) {
  FakeBackend backend;
  backend.catalog_reachable = false;
  api::EventFeed feed(backend);
  backend.publish("live", "cam", 7);
  assert_true(has(feed.look(), "event: stream"));
  assert_false(has(feed.all(), "version"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(tells_only_what_has_changed),
      cmocka_unit_test(all_is_one_event),
      cmocka_unit_test(bit_rate_is_of_what_came),
      cmocka_unit_test(interrupted_tells_the_seconds_left),
      cmocka_unit_test(a_change_of_the_catalogue_is_seen),
      cmocka_unit_test(without_a_catalogue_the_rest_is_told),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
