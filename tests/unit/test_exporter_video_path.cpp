#include <string>
#include <string_view>

#include "exporter/video_path.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording::exporter;

const std::string kSlug = "0123456789abcdef0123456789abcdef";

void both_kinds_of_bytes_are_found(void**) {
  const auto source = parse_video_path(kSlug + "/source.mp4");
  assert_true(source.has_value());
  assert_true(source->slug == kSlug);
  assert_true(source->bytes == VideoBytes::kMovie);
  assert_false(source->attachment);
  const auto raw = parse_video_path(kSlug + "/source.media");
  assert_true(raw.has_value());
  assert_true(raw->slug == kSlug);
  assert_true(raw->bytes == VideoBytes::kRaw);
  assert_false(raw->attachment);
}

struct Found {
  const char* path;
  VideoBytes bytes;
  const char* name;
};

void every_part_of_a_video_has_its_path(void**) {
  constexpr Found kAll[] = {{"", VideoBytes::kPage, "source"},
                            {"/master.m3u8", VideoBytes::kMaster, "source"},
                            {"/source.m3u8", VideoBytes::kPlaylist, "source"},
                            {"/720p.m3u8", VideoBytes::kPlaylist, "720p"},
                            {"/720p.media", VideoBytes::kRaw, "720p"},
                            {"/720p.m4s", VideoBytes::kRaw, "720p"},
                            {"/a-Z_9.mp4", VideoBytes::kMovie, "a-Z_9"},
                            {"/chapters.vtt", VideoBytes::kChapters, "source"},
                            {"/poster.jpg", VideoBytes::kPicture, "poster.jpg"},
                            {"/screenshot-1.jpg", VideoBytes::kPicture, "screenshot-1.jpg"},
                            {"/screenshot-120.jpg", VideoBytes::kPicture, "screenshot-120.jpg"},
                            {"/sprite.jpg", VideoBytes::kPicture, "sprite.jpg"},
                            {"/sprite.vtt", VideoBytes::kPicture, "sprite.vtt"}};
  for (const Found& found : kAll) {
    const auto path = parse_video_path(kSlug + found.path);
    if (!path || path->bytes != found.bytes || path->name != found.name || path->attachment) {
      fail_msg("%s was not found", found.path);
    }
  }
  const auto saved = parse_video_path(kSlug + "/480p.mp4/download=mine");
  assert_true(saved && saved->name == "480p" && saved->attachment_name == "mine");
}

void a_download_may_say_its_name(void**) {
  const auto plain = parse_video_path(kSlug + "/source.mp4/download");
  assert_true(plain.has_value() && plain->attachment);
  assert_true(plain->attachment_name.empty());
  const auto named = parse_video_path(kSlug + "/source.mp4/download=My_video-1.2");
  assert_true(named.has_value() && named->attachment);
  assert_true(named->attachment_name == "My_video-1.2");
  const std::string longest(255, 'x');
  const auto full = parse_video_path(kSlug + "/source.mp4/download=" + longest);
  assert_true(full.has_value() && full->attachment_name == longest);
}

void anything_else_is_not_there(void**) {
  const std::string upper = "0123456789ABCDEF0123456789ABCDEF";
  const std::string paths[] = {
      "",
      "/",
      kSlug + "/",
      kSlug + "/.mp4",
      kSlug + "/.processing-1.mp4",
      kSlug + "/..mp4",
      kSlug + "/a b.mp4",
      kSlug + "/a.b.mp4",
      kSlug + "/" + std::string(33, 'x') + ".mp4",
      kSlug + "/720p.m3u8/",
      kSlug + "/720p.m3u8/download",
      kSlug + "/other.jpg",
      kSlug + "/screenshot-.jpg",
      kSlug + "/screenshot-0.jpg",
      kSlug + "/screenshot-1000.jpg",
      kSlug + "/screenshot-1/2.jpg",
      kSlug + "/chapters.mp4.vtt",
      kSlug + "/source.mp",
      kSlug + "/source.mp4/",
      kSlug + "/source.mp4x",
      kSlug + "//source.mp4",
      kSlug + "0/source.mp4",
      "/" + kSlug + "/source.mp4",
      kSlug.substr(1) + "/source.mp4",
      upper + "/source.mp4",
      "../../../../../../etc/passwd0000/source.mp4",
      kSlug + "/../" + kSlug + "/source.mp4",
      kSlug + "/source.media/download",
      kSlug + "/source.mp4/download/",
      kSlug + "/source.mp4/download=",
      kSlug + "/source.mp4/download=.hidden",
      kSlug + "/source.mp4/download=a/b",
      kSlug + "/source.mp4/download=a b",
      kSlug + "/source.mp4/download=a\"b",
      kSlug + "/source.mp4/download=a\r\nSet-Cookie:x",
      kSlug + "/source.mp4/download=" + std::string(256, 'x'),
      kSlug + "/source.mp4/downloads",
      kSlug + "/source.mp4" + std::string(1, '\0'),
  };
  for (const std::string& path : paths) {
    if (parse_video_path(path)) {
      fail_msg("\"%s\" was accepted", path.c_str());
    }
  }
}

void a_plain_name_is_saved_as_it_is(void**) {
  assert_string_equal(content_disposition("My_video-1").c_str(),
                      "attachment; filename=\"My_video-1.mp4\"");
}

void a_name_in_another_script_is_given_twice(void**) {
  assert_string_equal(content_disposition("M\xc3\xa4rz 1%").c_str(),
                      "attachment; filename=\"M__rz 1_.mp4\"; "
                      "filename*=UTF-8''M%C3%A4rz%201%25.mp4");
}

void no_name_breaks_the_header_or_names_a_folder(void**) {
  assert_string_equal(content_disposition("a\"b\\c/d\r\ne:f").c_str(),
                      "attachment; filename=\"a_b_c_d__e_f.mp4\"");
  assert_string_equal(content_disposition("../../x").c_str(), "attachment; filename=\"_.._x.mp4\"");
  assert_string_equal(content_disposition("").c_str(), "attachment; filename=\"video.mp4\"");
  assert_string_equal(content_disposition("...").c_str(), "attachment; filename=\"video.mp4\"");
  // Bytes that are no UTF-8 become U+FFFD.
  assert_string_equal(content_disposition("a\xff").c_str(),
                      "attachment; filename=\"a___.mp4\"; filename*=UTF-8''a%EF%BF%BD.mp4");
}

void a_long_name_is_cut_between_characters(void**) {
  std::string name(199, 'x');
  name += "\xc3\xa4tail";
  assert_true(content_disposition(name) ==
              "attachment; filename=\"" + std::string(199, 'x') + ".mp4\"");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(both_kinds_of_bytes_are_found),
      cmocka_unit_test(every_part_of_a_video_has_its_path),
      cmocka_unit_test(a_download_may_say_its_name),
      cmocka_unit_test(anything_else_is_not_there),
      cmocka_unit_test(a_plain_name_is_saved_as_it_is),
      cmocka_unit_test(a_name_in_another_script_is_given_twice),
      cmocka_unit_test(no_name_breaks_the_header_or_names_a_folder),
      cmocka_unit_test(a_long_name_is_cut_between_characters),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
