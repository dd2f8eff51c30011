// How a webhook is told of events, and what is done when it does not take them.
#include <functional>
#include <string>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/memory_log.hpp"
#include "test_catalog_support.hpp"
#include "webhook/deliverer.hpp"
#include "webhook/signature.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using test::TemporaryFolder;

struct FakePost final : webhook::HttpPost {
  Result<int> post(const std::string& url, const std::vector<std::string>& headers,
                   const std::string& body) override {
    urls.push_back(url);
    last_headers = headers;
    bodies.push_back(body);
    return answer(body);
  }
  std::function<Result<int>(const std::string&)> answer = [](const std::string&) { return 200; };
  std::vector<std::string> urls, last_headers, bodies;
};

struct Hook {
  explicit Hook(const std::string& secret = "")
      : deliverer("http://h/", secret, *rows, http, clock, log) {}
  void happens(const std::string& id, const std::string& stream) {
    catalog::EventRow row;
    row.id = id;
    row.app = "live";
    row.stream = stream;
    row.created_at = clock.wall_ms();
    row.body = id;
    assert_true(bool(rows->add_events({row}, {"http://h/"})));
  }
  // For so long; what was told, in order.
  std::string run(std::int64_t ms) {
    http.bodies.clear();
    const std::int64_t end = clock.monotonic_ms() + ms;
    while (clock.monotonic_ms() < end) {
      clock.advance(deliverer.step());
    }
    std::string told;
    for (const std::string& body : http.bodies) {
      told += body + " ";
    }
    return told;
  }

  TemporaryFolder folder;
  std::unique_ptr<catalog::Catalog> rows = test::open_catalog(folder);
  FakePost http;
  test::FakeClock clock;
  test::MemoryLog log;
  webhook::Deliverer deliverer;
};

void tells_each_once_with_a_signature(void**) {
  Hook hook("key");
  hook.happens("The quick brown fox jumps over the lazy dog", "a");
  assert_string_equal(hook.run(5000).c_str(), "The quick brown fox jumps over the lazy dog ");
  assert_string_equal(hook.http.urls[0].c_str(), "http://h/");
  bool is_signed = false;
  for (const std::string& header : hook.http.last_headers) {
    // The well-known example of HMAC-SHA-256.
    is_signed |= header ==
                 "X-Recording-Signature: sha256="
                 "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
  }
  assert_true(is_signed);
  assert_int_equal(hook.log.lines().size(), 0);
}

void no_signature_without_a_secret(void**) {
  Hook hook;
  hook.happens("1", "a");
  hook.run(5000);
  for (const std::string& header : hook.http.last_headers) {
    assert_true(header.find("Signature") == std::string::npos);
  }
}

void an_error_holds_up_its_stream_and_is_tried_again(void**) {
  Hook hook;
  hook.happens("1", "a");
  hook.happens("2", "a");
  hook.happens("3", "b");
  hook.http.answer = [](const std::string& body) { return body == "1" ? 500 : 204; };
  assert_string_equal(hook.run(6500).c_str(), "1 3 1 1 ");  // after 1 s, 2 s, 4 s
  assert_int_equal(hook.log.count("it answered 500"), 1);
  hook.http.answer = [](const std::string&) { return 200; };
  assert_string_equal(hook.run(5000).c_str(), "1 2 ");
  assert_int_equal(hook.log.count("takes events again"), 1);
}

void nobody_there_is_not_asked_for_each_stream(void**) {
  Hook hook;
  for (int i = 0; i < 100; ++i) {
    hook.happens(std::to_string(i), std::to_string(i));
  }
  hook.http.answer = [](const std::string&) -> Result<int> {
    return Error{Errc::kUnavailable, "Connection refused"};
  };
  hook.run(60 * 1000);
  assert_true(hook.http.bodies.size() <= 7);
  hook.http.answer = [](const std::string&) { return 200; };
  hook.run(120 * 1000);
  assert_int_equal(hook.deliverer.delivered(), 100);
  assert_int_equal(hook.rows->work_figures().value().deliveries_waiting, 0);
}

void a_dead_one_is_tried_for_a_day_and_more_rarely(void**) {
  Hook hook;
  hook.happens("1", "a");
  hook.http.answer = [](const std::string&) { return 503; };
  hook.run(webhook::Deliverer::kLongestMs);
  assert_true(hook.http.bodies.size() > 90 && hook.http.bodies.size() < 120);
  assert_int_equal(hook.log.lines().size(), 1);
}

void waits_longer_each_time(void**) {
  assert_int_equal(webhook::retry_delay_ms(1), 1000);
  assert_int_equal(webhook::retry_delay_ms(2), 2000);
  assert_int_equal(webhook::retry_delay_ms(10), 512'000);
  assert_int_equal(webhook::retry_delay_ms(11), 900'000);
  assert_int_equal(webhook::retry_delay_ms(1000), 900'000);
}

// They may be in a URL, and the log is read by more people than nginx.conf.
void no_secret_of_the_url_is_logged(void**) {
  Hook hook;
  const std::string url = "http://user:pw@h/path?token=t0";
  webhook::Deliverer deliverer(url, "", *hook.rows, hook.http, hook.clock, hook.log);
  catalog::EventRow event;
  event.id = event.body = "1";
  assert_true(bool(hook.rows->add_events({event}, {url})));
  hook.http.answer = [](const std::string&) { return 500; };
  (void)deliverer.step();
  hook.clock.advance(10'000);
  hook.http.answer = [](const std::string&) { return 200; };
  (void)deliverer.step();
  assert_string_equal(hook.http.urls.back().c_str(), url.c_str());
  assert_int_equal(hook.log.lines().size(), 2);
  assert_int_equal(hook.log.count("webhook http://h/path"), 2);
  assert_int_equal(hook.log.count("pw") + hook.log.count("t0"), 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(tells_each_once_with_a_signature),
      cmocka_unit_test(no_signature_without_a_secret),
      cmocka_unit_test(an_error_holds_up_its_stream_and_is_tried_again),
      cmocka_unit_test(nobody_there_is_not_asked_for_each_stream),
      cmocka_unit_test(a_dead_one_is_tried_for_a_day_and_more_rarely),
      cmocka_unit_test(waits_longer_each_time),
      cmocka_unit_test(no_secret_of_the_url_is_logged),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
