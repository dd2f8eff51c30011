#include <set>
#include <string>
#include <vector>

#include "base/strings.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using namespace std::string_literals;

void hex_is_lower_case(void**) { assert_true(to_hex(Bytes{0x00, 0xAB, 0x1f}) == "00ab1f"); }

void random_ids_are_32_hex_digits_and_differ(void**) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = random_id();
    assert_int_equal(id.size(), 32);
    assert_true(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    seen.insert(id);
  }
  assert_int_equal(seen.size(), 1000);
  assert_true(random_u64() != random_u64());
}

void times_are_rfc_3339_in_utc(void**) {
  assert_string_equal(iso8601(0).c_str(), "1970-01-01T00:00:00.000Z");
  assert_string_equal(iso8601(1'795'429'230'123).c_str(), "2026-11-23T10:20:30.123Z");
  assert_string_equal(iso8601(1'709'164'800'007).c_str(), "2024-02-29T00:00:00.007Z");
  assert_string_equal(iso8601(-1).c_str(), "1969-12-31T23:59:59.999Z");
  assert_string_equal(iso_date(1'795'429'230'123).c_str(), "2026-11-23");
}

const std::vector<std::string> kInvalidUtf8 = {"\x80",
                                               "\xBF",
                                               "\xC0\xAF",
                                               "\xC1\xBF",
                                               "\xC2",
                                               "\xE0\x80\xAF",
                                               "\xE0\x9F\xBF",
                                               "\xED\xA0\x80",
                                               "\xED\xBF\xBF",
                                               "\xF0\x80\x80\xAF",
                                               "\xF4\x90\x80\x80",
                                               "\xF5\x80\x80\x80",
                                               "\xFF",
                                               "\xE2\x82",
                                               "\xF0\x9F\x92",
                                               "a\xE2\x82z"};

void utf8_is_checked_strictly(void**) {
  for (const std::string& text :
       {""s, "abc"s, "\0"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
        "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s, "h\xC3\xA9"s}) {
    assert_true(is_valid_utf8(text));
    assert_true(to_valid_utf8(text) == text);
  }
  for (const std::string& text : kInvalidUtf8) {
    assert_false(is_valid_utf8(text));
    assert_true(is_valid_utf8(to_valid_utf8(text)));
    assert_true(to_valid_utf8(text).find("\xEF\xBF\xBD") != std::string::npos);
  }
}

// One replacement for each longest start of a character (Unicode, 3.9, "substitution of maximal
// subparts"), as browsers do.
void invalid_utf8_becomes_replacement_characters(void**) {
  const std::string r = "\xEF\xBF\xBD";
  assert_true(to_valid_utf8("a\xE2\x82z") == "a" + r + "z");
  assert_true(to_valid_utf8("\xC0\xAF") == r + r);
  assert_true(to_valid_utf8("\xED\xA0\x80") == r + r + r);
  assert_true(to_valid_utf8("\xF0\x9F\x92") == r);
  assert_true(to_valid_utf8("\xE2\xC3\xA9") == r + "\xC3\xA9");
}

std::vector<std::string> nasty_names() {
  std::vector<std::string> names = {"",
                                    ".",
                                    "..",
                                    "...",
                                    "/",
                                    "//",
                                    "a/../x",
                                    "../../etc/passwd",
                                    "\0"s,
                                    "\0\0"s,
                                    "a\0b"s,
                                    "%2e%2e",
                                    "%2E%2E",
                                    "%",
                                    "%%",
                                    "%00",
                                    "%_",
                                    "a.",
                                    ".a",
                                    ".a.",
                                    "a..b",
                                    "a.b",
                                    "-",
                                    "--",
                                    "-rf",
                                    " ",
                                    "a b",
                                    "a\nb",
                                    "\r\n",
                                    "\\",
                                    "..\\..",
                                    "~",
                                    "~root",
                                    "$HOME",
                                    "`id`",
                                    "|",
                                    ";",
                                    "*",
                                    "?",
                                    "caf\xC3\xA9",
                                    "cafe\xCC\x81",
                                    "\xE2\x80\xAE",
                                    "CON",
                                    "con",
                                    "a:b",
                                    "a%2Fb",
                                    "a/b",
                                    "a%2fb",
                                    std::string(120, 'a'),
                                    std::string(121, 'a'),
                                    std::string(122, 'a'),
                                    std::string(255, 'a'),
                                    std::string(255, 'a') + "b",
                                    std::string(255, '.'),
                                    std::string(256, '.'),
                                    std::string(255, '/'),
                                    std::string(4096, 'x'),
                                    std::string(119, 'a') + ".",
                                    std::string(40, '/'),
                                    std::string(41, '/'),
                                    std::string(84, 'a') + "/" + std::string(84, 'b'),
                                    std::string(85, 'a') + "/" + std::string(84, 'b')};
  for (int byte = 0; byte < 256; ++byte) {
    names.push_back(std::string(1, static_cast<char>(byte)));
    names.push_back("s" + std::string(1, static_cast<char>(byte)) + "t");
  }
  names.insert(names.end(), kInvalidUtf8.begin(), kInvalidUtf8.end());
  // A name that is what another one becomes must not meet it.
  for (const std::string& name : std::vector<std::string>(names)) {
    names.push_back(path_component(name));
  }
  return names;
}

void no_name_escapes_its_folder(void**) {
  for (const std::string& name : nasty_names()) {
    const std::string path = path_component(name);
    assert_true(!path.empty() && path.size() <= 120);
    assert_true(path.front() != '.' && path.back() != '.');
    assert_true(path.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789._-%") == std::string::npos);
  }
}

void no_two_names_share_a_path(void**) {
  std::set<std::string> names;
  std::set<std::string> paths;
  for (const std::string& name : nasty_names()) {
    names.insert(name);
    paths.insert(path_component(name));
  }
  assert_true(names.size() > 400);
  assert_int_equal(names.size(), paths.size());
}

void usual_names_are_kept(void**) {
  assert_string_equal(path_component("live_Stream-01.hd").c_str(), "live_Stream-01.hd");
  assert_string_equal(path_component("a/b").c_str(), "a%2Fb");
  assert_string_equal(path_component("..").c_str(), "%2E%2E");
  assert_string_equal(path_component(std::string(120, 'a')).c_str(), std::string(120, 'a').c_str());
}

// The hash is in names on disk: it must never change. (sha256 of 200 times 'a')
void long_names_end_in_a_hash(void**) {
  const std::string path = path_component(std::string(200, 'a'));
  assert_string_equal(path.c_str(),
                      (std::string(86, 'a') + "%_" + "c2a908d98f5df987ade41b5fce213067").c_str());
}

void secrets_of_a_url_are_left_out(void**) {
  for (const char* url : {"https://hooks.example.com/a/b", "https://user:pw@hooks.example.com/a/b",
                          "https://u@x:p@hooks.example.com/a/b?token=secret&a=@b",
                          "https://hooks.example.com/a/b?mail=a@b#c@d"}) {
    assert_string_equal(url_without_secrets(url).c_str(), "https://hooks.example.com/a/b");
  }
  assert_string_equal(url_without_secrets("http://h:81?key=1").c_str(), "http://h:81");
  assert_string_equal(url_without_secrets("http://h/@me").c_str(), "http://h/@me");
  assert_string_equal(url_without_secrets("").c_str(), "");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(hex_is_lower_case),
      cmocka_unit_test(random_ids_are_32_hex_digits_and_differ),
      cmocka_unit_test(times_are_rfc_3339_in_utc),
      cmocka_unit_test(utf8_is_checked_strictly),
      cmocka_unit_test(invalid_utf8_becomes_replacement_characters),
      cmocka_unit_test(no_name_escapes_its_folder),
      cmocka_unit_test(no_two_names_share_a_path),
      cmocka_unit_test(usual_names_are_kept),
      cmocka_unit_test(long_names_end_in_a_hash),
      cmocka_unit_test(secrets_of_a_url_are_left_out),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
