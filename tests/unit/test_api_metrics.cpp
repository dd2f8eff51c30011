#include <set>
#include <sstream>
#include <string>

#include "api/metrics_text.hpp"
#include "test_api_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using api::Method;
using test::Answer;
using test::call;
using test::FakeBackend;

std::string text_of(FakeBackend& backend) {
  auto text =
      api::metrics_text(backend.state(), catalog::WorkFigures{1, 2, 3, 4, 5500, 6, 7, 8, 9});
  return text ? std::move(text).value() : text.error().message;
}

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\nnginx_recording_" + line + "\n") != std::string::npos;
}

void tells_what_was_counted(void**) {
  FakeBackend backend;
  runtime::Metrics& metrics = backend.state().metrics();
  metrics.bytes.add(5'000'000'000);
  metrics.count(runtime::InterruptionEnd::kResumed);
  metrics.count(runtime::InterruptionEnd::kStopped);
  metrics.count_discarded("too_short");
  metrics.count_discarded("a new reason");
  metrics.source_changes[3].add(2);
  metrics.timestamp_repairs[static_cast<std::size_t>(media::RepairKind::kReset)].add(4);
  metrics.write_errors.add();
  metrics.live_dropped.add(3);
  const std::string text = text_of(backend);
  for (const char* line :
       {"bytes_total 5000000000", "interruptions_total{result=\"resumed\"} 1",
        "interruptions_total{result=\"ended\"} 0", "interruptions_total{result=\"stopped\"} 1",
        "discarded_total{reason=\"too_short\"} 1", "discarded_total{reason=\"other\"} 1",
        "source_changes_total{field=\"video.width\"} 2",
        "source_changes_total{field=\"audio.channels\"} 0",
        "timestamp_repairs_total{kind=\"reset\"} 4", "write_errors_total 1",
        "live_dropped_groups_total 3"}) {
    if (!has(text, line)) {
      fail_msg("%s is not in\n%s", line, text.c_str());
    }
  }
  assert_true(text.find("unknown") == std::string::npos);
}

void times_are_exact_and_cumulated(void**) {
  FakeBackend backend;
  for (const std::uint64_t us : {900u, 1'000u, 1'001u, 60'000'000u}) {
    backend.state().metrics().writes.add(us);
  }
  const std::string text = text_of(backend);
  for (const char* line :
       {"write_seconds_bucket{le=\"0.001\"} 2", "write_seconds_bucket{le=\"0.0025\"} 3",
        "write_seconds_bucket{le=\"30.0\"} 3", "write_seconds_bucket{le=\"+Inf\"} 4",
        "write_seconds_sum 60.002901", "write_seconds_count 4", "finalize_seconds_count 0",
        "finalize_seconds_sum 0.0"}) {
    if (!has(text, line)) {
      fail_msg("%s is not in\n%s", line, text.c_str());
    }
  }
}

void tells_what_is_now(void**) {
  FakeBackend backend;
  std::string text = text_of(backend);
  assert_true(has(text, "active 0"));
  assert_true(text.find("\nnginx_recording_free_bytes ") == std::string::npos);  // not measured
  const auto stream = backend.publish("live", "cam", 1);
  (void)call(backend, Method::kPut, "streams/1/start_recording");
  assert_true(has(text_of(backend), "active 0"));  // wanted, but nothing is saved yet
  backend.save(stream, 5000, 1000);
  backend.state().recording_gauges(backend.stream(stream).recording)->waiting_bytes.set(700);
  backend.state().shared_gauges()->spool_free_bytes.set(1234);
  text = text_of(backend);
  assert_true(has(text, "active 1"));
  assert_true(has(text, "buffer_bytes 700"));
  assert_true(has(text, "free_bytes 1234"));
}

// Nothing in it needs an escape, and every family is described once.
void the_text_is_well_formed(void**) {
  FakeBackend backend;
  std::istringstream lines(text_of(backend));
  std::set<std::string> described;
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      assert_true(described.insert(family).second);
      assert_true(std::getline(lines, line) && line.starts_with("# TYPE " + family + " "));
      continue;
    }
    assert_true(line.starts_with(family));
    const std::size_t open = line.find('{');
    const std::string value = open == line.npos ? "" : line.substr(open + 1, line.find('}') - open);
    assert_true(value.find_first_of("\\\n") == value.npos);
    assert_true(std::count(value.begin(), value.end(), '"') == (open == line.npos ? 0 : 2));
  }
  assert_int_equal(described.size(), 17);
}

void space_is_told(void**) {
  FakeBackend backend;
  Answer space = call(backend, Method::kGet, "space");
  assert_int_equal(space.status(), 200);
  assert_true(space.json["free_bytes"].is_null() && space.json["left_seconds"].is_null());
  runtime::Shared& shared = *backend.state().shared_gauges();
  shared.spool_free_bytes.set(61'000);
  shared.bytes_per_second.set(1000);
  shared.space_low.set(1);
  space = call(backend, Method::kGet, "space");
  assert_string_equal(space.json.dump().c_str(),
                      R"({"free_bytes":61000,"min_free_bytes":1000,"bytes_per_second":1000,)"
                      R"("left_seconds":60,"low":true})");
  backend.publish("live", "cam", 1);
  const Answer started = call(backend, Method::kPut, "streams/1/start_recording");
  assert_int_equal(started.status(), 200);
  assert_string_equal(started.json["warnings"][0]["code"].get<std::string>().c_str(), "space_low");
  assert_int_equal(call(backend, Method::kPost, "space").status(), 405);
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(tells_what_was_counted), cmocka_unit_test(times_are_exact_and_cumulated),
    cmocka_unit_test(tells_what_is_now),      cmocka_unit_test(the_text_is_well_formed),
    cmocka_unit_test(space_is_told),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
