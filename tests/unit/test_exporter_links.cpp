#include <string>

#include "exporter/links.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording::exporter;

constexpr std::int64_t kNow = 1'800'000'000;
const std::string kSecret = "a secret";
// printf '1800000060/videos/abc/source.mp4 a secret' | openssl md5 -binary | openssl base64 |
// tr +/ -_ | tr -d =
constexpr const char* kMd5 = "mdMvBswLOuvdeZ_tkYgw4w";

LinkCheck check(const std::string& uri, const std::string& md5 = kMd5,
                const std::string& expires = "1800000060", std::int64_t now = kNow) {
  return check_link({uri, md5, expires, ""}, kSecret, now);
}

void a_link_is_what_secure_link_checks(void**) {
  const Links links("https://media.example.com/a/videos/", "/videos/", {kSecret, 60}, kNow);
  const std::string arguments = std::string("md5=") + kMd5 + "&expires=1800000060";
  assert_string_equal(links.to("abc/source.mp4").c_str(),
                      ("https://media.example.com/a/videos/abc/source.mp4?" + arguments).c_str());
  assert_string_equal(
      links.to("abc/source.mp4", "epoch=2").c_str(),
      ("https://media.example.com/a/videos/abc/source.mp4?epoch=2&" + arguments).c_str());
  const std::string named = links.to("live/live/front%20door/master.m3u8");
  const std::size_t md5 = named.find("md5=") + 4;
  assert_true(check("/videos/live/live/front door/master.m3u8", named.substr(md5, 22)) ==
              LinkCheck::kGood);
}

void without_a_secret_links_have_no_end(void**) {
  const Links links("https://media.example.com/videos/", "/videos/", {}, kNow);
  assert_string_equal(links.to("abc/source.mp4", "epoch=0").c_str(),
                      "https://media.example.com/videos/abc/source.mp4?epoch=0");
  assert_string_equal(Links().to("abc/source.mp4").c_str(), "");
}

// Who may see the page may load what it plays and shows, and nothing else.
void a_link_to_a_page_is_one_to_playback(void**) {
  const std::string slug = "0123456789abcdef0123456789abcdef";
  const Links links("https://h/videos/", "/videos/", {kSecret, 60}, kNow);
  const std::string page = links.to(slug);
  const std::string md5 = page.substr(page.find("md5=") + 4, 22);
  const std::string folder = "/videos/" + slug;
  for (const char* file :
       {"", "/master.m3u8", "/source.m3u8", "/source.media", "/source.m4s", "/720p.m3u8",
        "/720p.media", "/chapters.vtt", "/poster.jpg", "/screenshot-1.jpg", "/sprite.vtt"}) {
    if (check(folder + file, md5) != LinkCheck::kGood) {
      fail_msg("not good for %s", file);
    }
  }
  for (const char* file : {"/source.mp4", "/720p.mp4", "/720p.mp4/download", "/x/master.m3u8"}) {
    if (check(folder + file, md5) != LinkCheck::kWrong) {
      fail_msg("good for %s", file);
    }
  }
  // A stream may be called anything.
  const std::string stream = links.to("live/app/cam.jpg");
  assert_true(check("/videos/live/app/other.jpg", stream.substr(stream.find("md5=") + 4, 22)) ==
              LinkCheck::kWrong);
}

// It may be in a mail: whoever has it does not see the video.
void a_link_to_a_picture_opens_nothing_else(void**) {
  const std::string slug = "0123456789abcdef0123456789abcdef", folder = "/videos/" + slug;
  const Links links("https://h/videos/", "/videos/", {kSecret, 60}, kNow);
  const std::string link = links.to_picture(slug + "/poster.jpg");
  assert_string_equal(link.substr(0, link.find("&md5=")).c_str(),
                      ("https://h/videos/" + slug + "/poster.jpg?only=1").c_str());
  const std::string md5 = link.substr(link.find("md5=") + 4, 22), expires = "1800000060";
  const auto opens = [&](const std::string& file, const char* only) {
    return check_link({folder + file, md5, expires, only}, kSecret, kNow) == LinkCheck::kGood;
  };
  assert_true(opens("/poster.jpg", "1"));
  for (const char* file :
       {"/source.media", "/master.m3u8", "/screenshot-1.jpg", "", "/source.mp4"}) {
    assert_false(opens(file, "1") || opens(file, ""));
  }
  assert_false(opens("/poster.jpg", ""));
  // Nor does the page's own open what it does not name.
  const std::string page = links.to(slug);
  assert_true(
      check_link({folder + "/source.mp4", page.substr(page.find("md5=") + 4, 22), expires, "1"},
                 kSecret, kNow) == LinkCheck::kWrong);
  assert_string_equal(
      Links("https://h/videos/", "/videos/", {}, kNow).to_picture("a/b.jpg").c_str(),
      "https://h/videos/a/b.jpg");
}

void good_for_its_path_alone(void**) {
  assert_true(check("/videos/abc/source.mp4") == LinkCheck::kGood);
  assert_true(check("/videos/abc/source.mp4", std::string(kMd5) + "==") == LinkCheck::kGood);
  assert_true(check("/videos/abc/source.mp4/download") == LinkCheck::kGood);
  assert_true(check("/videos/abc/source.mp4/download=my-name") == LinkCheck::kGood);
  const std::string page = "https://h/videos/live/app/name?";
  const Links links("https://h/videos/", "/videos/", {kSecret, 60}, kNow);
  const std::string to_page = links.to("live/app/name").substr(page.size());
  for (const char* file : {"/master.m3u8", "/manifest.mpd"}) {
    const std::string path = std::string("live/app/name") + file;
    assert_string_equal(links.to(path).c_str(),
                        ("https://h/videos/" + path + "?" + to_page).c_str());
    assert_true(check("/videos/live/app/name" + std::string(file), to_page.substr(4, 22)) ==
                LinkCheck::kGood);
  }
  for (const char* other :
       {"/videos/abc/source.media", "/videos/abd/source.mp4", "/videos/abc/source.mp4/downloads",
        "/videos/abc/source.mp4/", "/videos/abc/720p.mp4/download", ""}) {
    assert_true(check(other) == LinkCheck::kWrong);
  }
}

void nothing_else_will_do(void**) {
  const std::string uri = "/videos/abc/source.mp4", md5 = kMd5;
  for (const std::string& wrong :
       {std::string(), md5.substr(1), md5 + "A", std::string(22, 'A'), "=" + md5}) {
    assert_true(check(uri, wrong) == LinkCheck::kWrong);
  }
  for (const char* expires : {"", "1800000061", "01800000060", "1800000060 ", "x", "-1"}) {
    assert_true(check(uri, kMd5, expires) == LinkCheck::kWrong);
  }
  assert_true(check_link({uri, kMd5, "1800000060", ""}, "a Secret", kNow) == LinkCheck::kWrong);
}

void it_ends(void**) {
  const std::string uri = "/videos/abc/source.mp4";
  assert_true(check(uri, kMd5, "1800000060", kNow + 60) == LinkCheck::kGood);
  assert_true(check(uri, kMd5, "1800000060", kNow + 61) == LinkCheck::kExpired);
  // Who does not know the secret does not learn that a link was good once.
  assert_true(check(uri, std::string(22, 'A'), "1800000060", kNow + 61) == LinkCheck::kWrong);
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(a_link_is_what_secure_link_checks),
    cmocka_unit_test(without_a_secret_links_have_no_end),
    cmocka_unit_test(a_link_to_a_page_is_one_to_playback),
    cmocka_unit_test(a_link_to_a_picture_opens_nothing_else),
    cmocka_unit_test(good_for_its_path_alone),
    cmocka_unit_test(nothing_else_will_do),
    cmocka_unit_test(it_ends),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
