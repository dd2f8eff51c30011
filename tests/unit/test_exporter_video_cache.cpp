#include <unistd.h>

#include <string>

#include "exporter/video_cache.hpp"
#include "test_exporter_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using exporter::ServedVideo;
using exporter::VideoBytes;
using exporter::VideoCache;
using test::RecordingsFolder;
using test::TestRecording;

std::shared_ptr<const ServedVideo> finished(const std::string& path) {
  TestRecording recording(path);
  if (!recording.append(5) || !recording.finish()) {
    return nullptr;
  }
  auto video = ServedVideo::open(path, VideoBytes::kMovie, 0);
  return video ? std::move(video).value() : nullptr;
}

void what_was_put_is_found(void**) {
  RecordingsFolder folder;
  VideoCache cache(2, 1000);
  const auto video = finished(folder.path("a.mp4"));
  assert_non_null(video.get());
  assert_null(cache.find("a", VideoBytes::kMovie, 0).get());
  cache.put("a", VideoBytes::kMovie, video, 0);
  assert_ptr_equal(cache.find("a", VideoBytes::kMovie, 0).get(), video.get());
  assert_null(cache.find("a", VideoBytes::kRaw, 0).get());
  assert_null(cache.find("b", VideoBytes::kMovie, 0).get());
}

void the_one_used_longest_ago_makes_room(void**) {
  RecordingsFolder folder;
  VideoCache cache(2, 1000);
  const auto video = finished(folder.path("a.mp4"));
  assert_non_null(video.get());
  cache.put("a", VideoBytes::kMovie, video, 0);
  cache.put("b", VideoBytes::kMovie, video, 1);
  assert_non_null(cache.find("a", VideoBytes::kMovie, 2).get());
  cache.put("c", VideoBytes::kMovie, video, 3);
  assert_int_equal(cache.size(), 2);
  assert_non_null(cache.find("a", VideoBytes::kMovie, 4).get());
  assert_null(cache.find("b", VideoBytes::kMovie, 4).get());
}

void a_growing_file_is_not_kept(void**) {
  RecordingsFolder folder;
  VideoCache cache(2, 1000);
  TestRecording recording(folder.path("a.mp4"));
  assert_true(recording.append(5));
  auto video = ServedVideo::open(recording.path(), VideoBytes::kMovie, recording.length());
  assert_true(static_cast<bool>(video));
  cache.put("a", VideoBytes::kMovie, video.value(), 0);
  assert_int_equal(cache.size(), 0);
}

void a_removed_file_is_not_found_and_its_descriptor_is_closed(void**) {
  RecordingsFolder folder;
  VideoCache cache(2, 1000);
  auto video = finished(folder.path("a.mp4"));
  assert_non_null(video.get());
  const std::weak_ptr<const ServedVideo> watched = video;
  cache.put("a", VideoBytes::kMovie, std::move(video), 0);
  assert_int_equal(::unlink(folder.path("a.mp4").c_str()), 0);
  assert_null(cache.find("a", VideoBytes::kMovie, 1).get());
  assert_true(watched.expired());
}

void sweeping_closes_what_is_idle_or_removed(void**) {
  RecordingsFolder folder;
  VideoCache cache(4, 1000);
  cache.put("idle", VideoBytes::kMovie, finished(folder.path("a.mp4")), 0);
  cache.put("used", VideoBytes::kMovie, finished(folder.path("b.mp4")), 0);
  cache.put("removed", VideoBytes::kMovie, finished(folder.path("c.mp4")), 900);
  assert_int_equal(::unlink(folder.path("c.mp4").c_str()), 0);
  assert_non_null(cache.find("used", VideoBytes::kMovie, 500).get());
  cache.sweep(1000);
  assert_int_equal(cache.size(), 1);
  assert_non_null(cache.find("used", VideoBytes::kMovie, 1000).get());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_was_put_is_found),
      cmocka_unit_test(the_one_used_longest_ago_makes_room),
      cmocka_unit_test(a_growing_file_is_not_kept),
      cmocka_unit_test(a_removed_file_is_not_found_and_its_descriptor_is_closed),
      cmocka_unit_test(sweeping_closes_what_is_idle_or_removed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
