// The history of streams.
#include <string>
#include <vector>

#include "test_catalog_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using catalog::Catalog;
using catalog::SessionRow;
using test::open_catalog;
using test::TemporaryFolder;

// Of 64 bits, the highest set.
constexpr std::uint64_t kId = 0xfedcba9876543210;

SessionRow ended(std::int64_t stream, std::uint64_t id, std::int64_t began, std::int64_t end,
                 const std::string& reason = "connection") {
  SessionRow row;
  row.stream_id = stream;
  row.id = id;
  row.started_at = began;
  row.ended_at = end;
  row.end_reason = reason;
  row.video_codec = "h264";
  row.audio_codec = "aac";
  row.width = 1280;
  row.height = 720;
  row.frame_rate_milli = 29970;
  row.sample_rate = 48000;
  row.channels = 2;
  row.bytes = 12345;
  row.transcoder_restarts = 3;
  return row;
}

// "began-end reason", the newest first.
std::string told(Catalog& rows, std::int64_t stream, std::int64_t offset = 0,
                 std::int64_t limit = 1000) {
  std::string text;
  auto sessions = rows.sessions(stream, offset, limit);
  assert_true(bool(sessions));
  for (const SessionRow& row : sessions.value()) {
    text += std::to_string(row.started_at) + "-" + std::to_string(row.ended_at) + " " +
            row.end_reason + ";";
  }
  return text;
}

void keeps_what_a_session_was(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto id = rows->ensure_stream("live", "cam").value().id;
  assert_true(bool(rows->begin_session({id, kId, 1000})));
  assert_string_equal(told(*rows, id).c_str(), "1000-0 ;");
  assert_true(bool(rows->end_session(ended(id, kId, 1000, 5000))));
  const auto sessions = rows->sessions(id, 0, 10).value();
  const auto stream = rows->stream(id).value();
  assert_int_equal(sessions.size(), 1);
  const SessionRow& row = sessions[0];
  assert_true(row.id == kId && row.stream_id == id);
  assert_int_equal(row.started_at, 1000);
  assert_int_equal(row.ended_at, 5000);
  assert_string_equal(row.end_reason.c_str(), "connection");
  assert_string_equal(row.video_codec.c_str(), "h264");
  assert_string_equal(row.audio_codec.c_str(), "aac");
  assert_true(row.width == 1280 && row.height == 720 && row.frame_rate_milli == 29970);
  assert_true(row.sample_rate == 48000 && row.channels == 2);
  assert_int_equal(row.bytes, 12345);
  assert_int_equal(row.transcoder_restarts, 3);
  assert_int_equal(stream.started_at, 1000);
  assert_int_equal(stream.finished_at, 5000);
}

void an_end_without_a_beginning_is_kept(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto id = rows->ensure_stream("live", "cam").value().id;
  assert_true(bool(rows->end_session(ended(id, kId, 1000, 5000))));
  assert_string_equal(told(*rows, id).c_str(), "1000-5000 connection;");
}

void a_connection_that_fell_silent_has_several(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto id = rows->ensure_stream("live", "cam").value().id;
  (void)rows->begin_session({id, kId, 1000});
  (void)rows->end_session(ended(id, kId, 1000, 2000, "silent"));
  assert_true(bool(rows->begin_session({id, kId, 3000})));
  assert_string_equal(told(*rows, id).c_str(), "3000-0 ;1000-2000 silent;");
  // How the connection ended at last does not change why the session did.
  (void)rows->end_session(ended(id, kId, 3000, 4000, "silent"));
  assert_true(bool(rows->end_session(ended(id, kId, 3000, 9000, "connection"))));
  assert_string_equal(told(*rows, id).c_str(), "3000-4000 silent;1000-2000 silent;");
  assert_int_equal(rows->stream(id).value().finished_at, 9000);
}

void what_never_told_its_end_is_over_when_another_begins(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto id = rows->ensure_stream("live", "cam").value().id;
  const auto other = rows->ensure_stream("live", "other").value().id;
  (void)rows->begin_session({other, 9, 500});
  (void)rows->begin_session({id, 1, 1000});
  (void)rows->begin_session({id, 2, 3000});
  assert_string_equal(told(*rows, id).c_str(), "3000-0 ;1000-0 worker_ended;");
  assert_string_equal(told(*rows, other).c_str(), "500-0 ;");
  // It only came late.
  assert_true(bool(rows->end_session(ended(id, 1, 1000, 2400, "replaced"))));
  assert_string_equal(told(*rows, id).c_str(), "3000-0 ;1000-2400 replaced;");
}

// Its worker left in order, and somebody else tells it.
void one_that_is_known_by_its_stream_alone_can_be_ended(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto id = rows->ensure_stream("live", "cam").value().id;
  (void)rows->begin_session({id, 1, 1000});
  (void)rows->end_session(ended(id, 1, 1000, 1500));
  (void)rows->begin_session({id, 2, 3000});
  assert_true(bool(rows->end_session(ended(id, 0, 0, 2000, "worker_ended"))));  // comes late
  assert_string_equal(told(*rows, id).c_str(), "3000-0 ;1000-1500 connection;");
  assert_true(bool(rows->end_session(ended(id, 0, 0, 4000, "worker_ended"))));
  assert_string_equal(told(*rows, id).c_str(), "3000-4000 worker_ended;1000-1500 connection;");
}

void the_newest_hundred_stay(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto id = rows->ensure_stream("live", "cam").value().id;
  const auto other = rows->ensure_stream("live", "other").value().id;
  (void)rows->begin_session({other, 9, 500});
  for (std::uint64_t i = 1; i <= 105; ++i) {
    (void)rows->begin_session({id, i, static_cast<std::int64_t>(1000 * i)});
  }
  const auto all = rows->sessions(id, 0, 1000).value();
  assert_int_equal(all.size(), 100);
  assert_int_equal(all.front().id, 105);
  assert_int_equal(all.back().id, 6);
  assert_string_equal(told(*rows, id, 99, 25).c_str(), "6000-0 worker_ended;");
  assert_string_equal(told(*rows, id, 100, 25).c_str(), "");
  assert_string_equal(told(*rows, other).c_str(), "500-0 ;");
}

void goes_with_its_stream(void**) {
  TemporaryFolder folder;
  auto rows = open_catalog(folder);
  const auto id = rows->ensure_stream("live", "cam").value().id;
  (void)rows->begin_session({id, 1, 1000});
  (void)rows->delete_stream(id);
  assert_string_equal(told(*rows, id).c_str(), "");
  auto late = rows->end_session(ended(id, 1, 1000, 2000));
  auto later = rows->begin_session({id, 2, 3000});
  assert_int_equal(late.error().code, Errc::kNotFound);
  assert_int_equal(later.error().code, Errc::kNotFound);
  assert_string_equal(told(*rows, id).c_str(), "");
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(keeps_what_a_session_was),
    cmocka_unit_test(an_end_without_a_beginning_is_kept),
    cmocka_unit_test(a_connection_that_fell_silent_has_several),
    cmocka_unit_test(what_never_told_its_end_is_over_when_another_begins),
    cmocka_unit_test(one_that_is_known_by_its_stream_alone_can_be_ended),
    cmocka_unit_test(the_newest_hundred_stay),
    cmocka_unit_test(goes_with_its_stream),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
