#include <string>

#include "exporter/entity.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording::exporter;

constexpr std::int64_t kNow = 1'800'000'000'123'456'789;

void a_finished_entity_is_its_length_and_time(void**) {
  const Entity entity = finished_entity(0x1234, kNow);
  assert_string_equal(entity.etag.c_str(), "\"1234-18fae2769b0fcd15\"");
  assert_int_equal(entity.last_modified, 1'800'000'000);
  assert_true(entity.dated);
  assert_true(finished_entity(0x1235, kNow).etag != entity.etag);
  assert_true(finished_entity(0x1234, kNow + 1).etag != entity.etag);
}

void a_growing_entity_is_its_length(void**) {
  const Entity entity = growing_entity(0x1234, kNow);
  assert_string_equal(entity.etag.c_str(), "\"1234-g\"");
  assert_true(growing_entity(0x1234, kNow + 1'000'000'000).etag == entity.etag);
  assert_true(growing_entity(0x1235, kNow).etag != entity.etag);
}

// A client that resumes by date must never take the finished file for the one it began with, even
// if both were written within the same second.
void a_growing_date_is_no_validator(void**) {
  const Entity growing = growing_entity(0x1234, kNow);
  assert_false(growing.dated);
  assert_true(growing.last_modified != finished_entity(0x1234, kNow).last_modified);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_finished_entity_is_its_length_and_time),
      cmocka_unit_test(a_growing_entity_is_its_length),
      cmocka_unit_test(a_growing_date_is_no_validator),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
