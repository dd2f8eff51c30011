#include <unistd.h>

#include <string>

#include "test_exporter_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using exporter::ServedVideo;
using exporter::VideoBytes;
using test::read_file;
using test::RecordingsFolder;
using test::sent_bytes;
using test::TestRecording;

std::shared_ptr<const ServedVideo> open(const TestRecording& recording, VideoBytes bytes,
                                        std::uint64_t growing_length) {
  auto video = ServedVideo::open(recording.path(), bytes, growing_length);
  return video ? std::move(video).value() : nullptr;
}

int open_error(const std::string& path, std::uint64_t growing_length) {
  auto video = ServedVideo::open(path, VideoBytes::kMovie, growing_length);
  return video ? 0 : static_cast<int>(video.error().code);
}

void a_growing_file_is_sent_up_to_what_is_committed(void**) {
  RecordingsFolder folder;
  TestRecording recording(folder.path("source.mp4"));
  assert_true(recording.append(40));
  const std::uint64_t committed = recording.length();
  assert_true(recording.append(40));  // not announced yet
  for (const VideoBytes bytes : {VideoBytes::kMovie, VideoBytes::kRaw}) {
    const auto video = open(recording, bytes, committed);
    assert_non_null(video.get());
    assert_false(video->finished());
    assert_int_equal(video->length(), committed);
    assert_true(sent_bytes(*video) == read_file(recording.path()).substr(0, committed));
  }
}

// The 16 bytes that make it a regular file lie in the part that a client may not have got yet.
void a_download_goes_on_unchanged_when_the_recording_is_finished(void**) {
  RecordingsFolder folder;
  TestRecording recording(folder.path("source.mp4"));
  assert_true(recording.append(40));
  const auto video = open(recording, VideoBytes::kMovie, recording.length());
  assert_non_null(video.get());
  const std::string before = sent_bytes(*video);
  assert_true(recording.finish());
  assert_true(read_file(recording.path()).substr(0, before.size()) != before);
  assert_true(sent_bytes(*video) == before);
  assert_false(video->finished());
}

void a_download_goes_on_when_the_file_is_moved_or_removed(void**) {
  RecordingsFolder folder;
  TestRecording recording(folder.path("source.mp4"));
  assert_true(recording.append(40));
  assert_true(recording.finish());
  const auto video = open(recording, VideoBytes::kMovie, 0);
  assert_non_null(video.get());
  const std::string before = sent_bytes(*video);
  const std::string moved = folder.path("moved.mp4");
  assert_int_equal(::rename(recording.path().c_str(), moved.c_str()), 0);
  assert_false(video->removed());
  assert_true(sent_bytes(*video) == before);
  assert_int_equal(::unlink(moved.c_str()), 0);
  assert_true(video->removed());
  assert_true(sent_bytes(*video) == before);
}

void a_finished_file_is_sent_index_first_and_raw_as_it_is(void**) {
  RecordingsFolder folder;
  TestRecording recording(folder.path("source.mp4"));
  assert_true(recording.append(40));
  assert_true(recording.finish());
  const std::string file = read_file(recording.path());
  const auto source = open(recording, VideoBytes::kMovie, 17);  // an old gauge does not matter
  assert_non_null(source.get());
  assert_true(source->finished());
  const std::string sent = sent_bytes(*source);
  assert_true(sent != file);
  assert_true(sent.find("moov") < sent.find("mdat"));
  const auto raw = open(recording, VideoBytes::kRaw, 0);
  assert_non_null(raw.get());
  assert_true(raw->finished());
  assert_int_equal(raw->memory_length(), 0);
  assert_true(sent_bytes(*raw) == file);
}

void the_first_bytes_are_at_hand(void**) {
  RecordingsFolder folder;
  TestRecording recording(folder.path("source.mp4"));
  for (int i = 0; i < 10; ++i) {
    assert_true(recording.append(1000, 8));
  }
  assert_true(recording.finish());
  const auto video = open(recording, VideoBytes::kMovie, 0);
  assert_non_null(video.get());
  const std::string head(video->head().begin(), video->head().end());
  assert_true(video->memory_length() > head.size());  // else this tests nothing
  assert_true(head.size() > 0);
  assert_true(sent_bytes(*video).substr(0, head.size()) == head);
}

void every_state_has_an_etag_of_its_own(void**) {
  RecordingsFolder folder;
  TestRecording recording(folder.path("source.mp4"));
  assert_true(recording.append(10));
  const std::string first = open(recording, VideoBytes::kMovie, recording.length())->entity().etag;
  const std::string again = open(recording, VideoBytes::kMovie, recording.length())->entity().etag;
  assert_true(first == again);
  assert_true(recording.append(10));
  const std::string second = open(recording, VideoBytes::kMovie, recording.length())->entity().etag;
  assert_true(recording.finish());
  const std::string finished = open(recording, VideoBytes::kMovie, 0)->entity().etag;
  const std::string raw = open(recording, VideoBytes::kRaw, 0)->entity().etag;
  assert_true(first != second);
  assert_true(second != finished);
  assert_true(raw.size() > 2 && raw.front() == '"' && raw.back() == '"');
}

void what_cannot_be_sent_is_told_apart(void**) {
  RecordingsFolder folder;
  assert_int_equal(open_error(folder.path("none.mp4"), 100), Errc::kNotFound);
  assert_int_equal(open_error(folder.path(), 100), Errc::kNotFound);  // a folder
  assert_int_equal(::symlink("/etc/passwd", folder.path("link").c_str()), 0);
  assert_int_equal(open_error(folder.path("link"), 100), Errc::kNotFound);
  TestRecording recording(folder.path("source.mp4"));
  assert_int_equal(open_error(recording.path(), 0), Errc::kNotFound);  // still empty
  assert_true(recording.append(10));
  assert_int_equal(open_error(recording.path(), 0), Errc::kNotFound);  // nothing committed
  assert_int_equal(open_error(recording.path(), recording.length() + 1), Errc::kUnavailable);
  assert_int_equal(open_error("/etc/passwd", 100), Errc::kCorrupt);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_growing_file_is_sent_up_to_what_is_committed),
      cmocka_unit_test(a_download_goes_on_unchanged_when_the_recording_is_finished),
      cmocka_unit_test(a_download_goes_on_when_the_file_is_moved_or_removed),
      cmocka_unit_test(a_finished_file_is_sent_index_first_and_raw_as_it_is),
      cmocka_unit_test(the_first_bytes_are_at_hand),
      cmocka_unit_test(every_state_has_an_etag_of_its_own),
      cmocka_unit_test(what_cannot_be_sent_is_told_apart),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
