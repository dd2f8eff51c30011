// The recording { } block as recording-worker reads it, from nginx.conf or from nginx itself.
#include <map>
#include <string>

#include "config/config_file.hpp"
#include "config/directives.hpp"
#include "config/values.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using config::Config;
using config::SourceText;

// Files by name, as `include` finds them.
using Folder = std::map<std::string, std::string>;

Result<Config> parse(const std::string& text, const Folder& folder = {},
                     const std::string& prefix = "/etc/nginx/") {
  return config::parse_config({"nginx.conf", text}, prefix,
                              [&](const std::string& name) -> Result<std::vector<SourceText>> {
                                const auto found = folder.find(name);
                                if (found == folder.end()) {
                                  return Error{Errc::kIo, "no " + name};
                                }
                                return std::vector<SourceText>{{name, found->second}};
                              });
}

// The message; empty: it was accepted.
std::string fault_of(const std::string& text, const Folder& folder = {},
                     const std::string& prefix = "/etc/nginx/") {
  auto config = parse(text, folder, prefix);
  return config ? std::string() : config.error().message;
}

std::string inside(const std::string& text) {
  return fault_of("recording {\nstorage /v;\n" + text + "\n}\n");
}

void reads_the_block_of_a_whole_nginx_conf(void**) {
  auto config = parse(R"(
user www-data;  # a comment with { and "
events { worker_connections 10; }
http {
  map $a $b { "~^{" 1; default "x;{}"; }
  server { location ~ "\.{2}$" { return 200 '${c}{}'; }
    content_by_lua_block { local s = { x = "a" } -- it's
    } }
}
recording {
  storage 'media/videos/';   # relative to the prefix
  link_secret "two \"words\"" valid=1h;
  include more.conf;
}
rtmp { server { application live { live on; } } }
)",
                      {{"more.conf",
                        "worker 3; rendition 480p video=1400k;\n"
                        "webhook https://h/ 'secret=a\\\\b';"}});
  assert_true(bool(config));
  const Config& got = config.value();
  assert_true(got.storage == "/etc/nginx/media/videos" && got.spool == "/etc/nginx/media/spool");
  assert_true(got.catalog_path == "/etc/nginx/media/catalog.db");
  assert_true(got.link_secret.text == "two \"words\"" && got.link_secret.valid_s == 3600);
  assert_int_equal(got.workers, 3);
  assert_int_equal(got.renditions.size(), 1);
  assert_true(got.renditions[0].height == 480 && got.renditions[0].video_bps == 1400000 &&
              got.renditions[0].audio_bps == 128000);
  assert_true(got.webhooks.size() == 1 && got.webhooks[0].secret == "a\\b");
}

void what_nginx_hands_over_is_what_it_had(void**) {
  Config config;
  config.storage = "/v/with space \"and\" \\back\\t";
  config.spool = "/s;{}#'$x";
  config.catalog_path = "/c/caf\xc3\xa9.db";
  config.runtime = "/dev/shm/x";
  config.min_free_bytes = 12345;
  config.journal_percent = 7;
  config.zone_bytes = 65536;
  config.public_url = "https://h:1/p";
  config.link_secret = {"s'\\\\\" x", 77};
  config.keep_ms = 5000;
  config.workers = 9;
  config.renditions = {{"720p", 720, 2800000, 96000}, {"480p", 480, 10000, 8000}};
  config.webhooks = {{"http://h/?a=b&c", "k\\ey\""}, {"https://i/", "two words"}};
  config.ffmpeg = "/opt/f f/ffmpeg";
  auto read = parse(config::to_text(config), {}, "");
  assert_true(bool(read));
  const Config& got = read.value();
  assert_true(got.storage == config.storage && got.spool == config.spool);
  assert_true(got.catalog_path == config.catalog_path && got.runtime == config.runtime);
  assert_true(got.min_free_bytes == 12345 && got.journal_percent == 7 && got.zone_bytes == 65536);
  assert_true(got.public_url == config.public_url && got.keep_ms == 5000 && got.workers == 9);
  assert_true(got.link_secret.text == config.link_secret.text && got.link_secret.valid_s == 77);
  assert_true(got.ffmpeg == config.ffmpeg && got.renditions.size() == 2);
  assert_true(got.renditions[1].video_bps == 10000 && got.renditions[1].audio_bps == 8000);
  assert_true(got.webhooks.size() == 2 && got.webhooks[0].secret == "k\\ey\"");
  assert_true(got.webhooks[1].secret == "two words");
  // And a second time it is the same text.
  assert_true(config::to_text(got) == config::to_text(config));
}

void off_is_handed_over_too(void**) {
  auto config = parse("recording { storage /v; worker off; }");
  assert_int_equal(config.value().workers, 0);
  assert_int_equal(parse(config::to_text(config.value())).value().workers, 0);
}

void wrong_syntax_is_said_as_nginx_says_it(void**) {
  assert_string_equal(fault_of("recording {\nstorage /v;\n").c_str(),
                      "unexpected end of file, expecting \"}\" in nginx.conf:3");
  assert_string_equal(fault_of("recording {\nstorage /v\n").c_str(),
                      "unexpected end of file, expecting \";\" or \"}\" in nginx.conf:3");
  assert_string_equal(fault_of("recording {\nstorage \"/v\n;").c_str(),
                      "unexpected end of file, expecting \";\" or \"}\" in nginx.conf:3");
  assert_string_equal(fault_of("http {\n\n").c_str(),
                      "unexpected end of file, expecting \";\" or \"}\" in nginx.conf:3");
  assert_string_equal(fault_of("}\n").c_str(), "unexpected \"}\" in nginx.conf:1");
  assert_string_equal(fault_of(";").c_str(), "unexpected \";\" in nginx.conf:1");
  assert_string_equal(fault_of("recording {\n{").c_str(), "unexpected \"{\" in nginx.conf:2");
  assert_string_equal(fault_of("recording { storage \"a\"b; }").c_str(),
                      "unexpected \"b\" in nginx.conf:1");
  assert_string_equal(fault_of("recording { storage }").c_str(),
                      "unexpected \"}\" in nginx.conf:1");
  assert_string_equal(fault_of("recording now { }").c_str(),
                      "invalid number of arguments in \"recording\" directive in nginx.conf:1");
}

void wrong_values_name_file_and_line(void**) {
  assert_string_equal(inside("zone many;").c_str(),
                      "\"zone\" directive must be a size such as 8m in nginx.conf:3");
  assert_string_equal(inside("zone;").c_str(),
                      "invalid number of arguments in \"zone\" directive in nginx.conf:3");
  assert_string_equal(inside("zone 1m 2m;").c_str(),
                      "invalid number of arguments in \"zone\" directive in nginx.conf:3");
  assert_string_equal(inside("zones 1m;").c_str(), "unknown directive \"zones\" in nginx.conf:3");
  assert_string_equal(inside("server { }").c_str(), "unknown directive \"server\" in nginx.conf:3");
  assert_string_equal(inside("storage /w;").c_str(),
                      "\"storage\" directive is duplicate in nginx.conf:3");
  assert_string_equal(inside("worker 0;").c_str(),
                      "\"worker\" directive must be a number from 1 to 64, or off in nginx.conf:3");
  assert_string_equal(inside("spool /v/;").c_str(),
                      "\"spool\" must be another folder than \"storage\" in nginx.conf:1");
  assert_string_equal(inside("include gone.conf;").c_str(), "no gone.conf in nginx.conf:3");
  assert_string_equal(fault_of("recording { }").c_str(),
                      "\"recording\" needs a \"storage\" in nginx.conf:1");
  assert_string_equal(fault_of("events { }").c_str(),
                      "there is no \"recording { storage /path; }\" block");
  assert_string_equal(fault_of("recording { storage /v; }\nrecording { }").c_str(),
                      "\"recording\" directive is duplicate in nginx.conf:2");
  assert_string_equal(
      fault_of("recording { include a; }", {{"a", "\nstorage /v;\nkeep ever;"}}).c_str(),
      "\"keep\" directive must be a time such as 12h or 30d, or 0 in a:3");
}

void a_file_that_includes_itself_is_refused(void**) {
  const std::string said = fault_of("include a;", {{"a", "include a;"}});
  assert_true(said.find("\"include\" directive is nested too deeply") == 0);
}

void relative_paths_need_a_prefix(void**) {
  const std::string said = fault_of("recording { storage v; }", {}, "");
  assert_true(said.find("must be an absolute path, or -p must give nginx's prefix") != said.npos);
}

void sizes_and_times_are_nginx_s(void**) {
  using config::parse_seconds;
  using config::parse_size;
  assert_true(parse_size("0") == 0 && parse_size("64k") == 65536 && parse_size("2G") == 2LL << 30);
  assert_true(!parse_size("") && !parse_size("k") && !parse_size("-1") && !parse_size("1kk") &&
              !parse_size("1 k") && !parse_size("9223372036854775807k") && !parse_size("+1"));
  assert_true(parse_seconds("0") == 0 && parse_seconds("90") == 90 &&
              parse_seconds("1h30m") == 5400);
  assert_true(parse_seconds("1y2M3w4d") == 31536000 + 2 * 2592000 + 3 * 604800 + 4 * 86400);
  assert_true(!parse_seconds("") && !parse_seconds("m") && !parse_seconds("1m1h") &&
              !parse_seconds("1h1h") && !parse_seconds("10ms") && !parse_seconds("1x") &&
              !parse_seconds("99999999999999999999") && !parse_seconds("-1"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reads_the_block_of_a_whole_nginx_conf),
      cmocka_unit_test(what_nginx_hands_over_is_what_it_had),
      cmocka_unit_test(off_is_handed_over_too),
      cmocka_unit_test(wrong_syntax_is_said_as_nginx_says_it),
      cmocka_unit_test(wrong_values_name_file_and_line),
      cmocka_unit_test(a_file_that_includes_itself_is_refused),
      cmocka_unit_test(relative_paths_need_a_prefix),
      cmocka_unit_test(sizes_and_times_are_nginx_s),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
