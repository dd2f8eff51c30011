#include <string>

#include "inspect/closer.hpp"
#include "inspect/facts.hpp"
#include "inspect/report.hpp"
#include "support/mp4_fixture.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace recording::test;

constexpr char kPath[] = "source.mp4";

// A file in which the last fragment is torn; how many bytes of it are there.
std::uint64_t torn_file(MemFileSystem& files, std::vector<OwnedFragment>& life) {
  auto file = create_recording(files, kPath);
  std::uint64_t whole = 0;
  for (auto& fragment : life) {
    whole = file->length();
    must(fragment.append_to(*file));
  }
  file.reset();
  Bytes bytes = files.read(kPath);
  bytes.resize(bytes.size() - 100);
  files.put(kPath, bytes);
  return bytes.size() - whole;
}

api::Json look(MemFileSystem& files) {
  auto facts = must(inspect::read_facts(*must(files.open_for_read(kPath))));
  return inspect::facts_json(facts, kPath, facts.finished ? "finished" : "not closed");
}

void tells_what_is_in_a_torn_file(void**) {
  MemFileSystem files;
  auto life = eventful_life();
  const std::uint64_t torn = torn_file(files, life);
  const Bytes before = files.read(kPath);
  const api::Json json = look(files);
  assert_true(files.read(kPath) == before);
  assert_int_equal(json["file"]["unfinished_bytes"].get<std::uint64_t>(), torn);
  assert_int_equal(json["file"]["video_samples"].get<int>(), 7 * 30);
  assert_string_equal(json["file"]["stream"].get<std::string>().c_str(), "cam");
  assert_int_equal(json["epochs"].size(), 3);
  assert_int_equal(json["interruptions"].size(), 1);
  const std::string text = inspect::facts_text(json);
  for (const char* part :
       {"not closed", "live/cam", "uniform: ", "epochs: 3", "interruptions: 1"}) {
    assert_true(text.find(part) != std::string::npos);
  }
}

void closes_a_torn_file_and_keeps_what_it_cuts_off(void**) {
  MemFileSystem files;
  auto life = eventful_life();
  const std::uint64_t torn = torn_file(files, life);
  const Bytes before = files.read(kPath);
  const auto closed = must(inspect::close_recording(files, kPath));
  assert_false(closed.was_finished);
  assert_int_equal(closed.kept, torn);
  assert_true(files.read(closed.kept_path) ==
              Bytes(before.end() - static_cast<std::ptrdiff_t>(torn), before.end()));
  assert_true(has_samples(files.read(kPath), expected_samples(life, life.size() - 1)));
  const api::Json json = look(files);
  assert_string_equal(json["file"]["state"].get<std::string>().c_str(), "finished");
  assert_int_equal(json["file"]["unfinished_bytes"].get<int>(), 0);
  const Bytes after = files.read(kPath);
  assert_true(must(inspect::close_recording(files, kPath)).was_finished);
  assert_true(files.read(kPath) == after);
}

void does_not_touch_what_is_not_ours(void**) {
  MemFileSystem files;
  files.put(kPath, Bytes(5000, 7));
  auto closed = inspect::close_recording(files, kPath);
  auto facts = inspect::read_facts(*must(files.open_for_read(kPath)));
  assert_true(!closed && closed.error().code == Errc::kCorrupt);
  assert_true(!facts && facts.error().code == Errc::kCorrupt);
  assert_true(files.read(kPath) == Bytes(5000, 7));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(tells_what_is_in_a_torn_file),
      cmocka_unit_test(closes_a_torn_file_and_keeps_what_it_cuts_off),
      cmocka_unit_test(does_not_touch_what_is_not_ours),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
