// What is refused, and how.
#include <string>
#include <utility>
#include <vector>

#include "base/url.hpp"
#include "test_api_support.hpp"

#include "cmocka.hpp"

namespace {

using namespace recording;
using api::Json;
using api::Method;
using test::Answer;
using test::call;
using test::FakeBackend;

void names_the_allowed_methods(void**) {
  FakeBackend backend;
  const Answer list = call(backend, Method::kPut, "streams");
  const Answer get_start = call(backend, Method::kGet, "streams/1/start_recording");
  const Answer one = call(backend, Method::kOther, "videos/1");
  assert_int_equal(list.status(), 405);
  assert_string_equal(list.response.allow.value_or("").c_str(), "GET, HEAD, POST");
  assert_int_equal(get_start.status(), 405);
  assert_string_equal(get_start.response.allow.value_or("").c_str(), "PUT");
  assert_string_equal(one.response.allow.value_or("").c_str(), "GET, HEAD, PATCH, DELETE");
  assert_string_equal(one.error_code().c_str(), "method_not_allowed");
}

void unknown_paths_are_404_with_help(void**) {
  FakeBackend backend;
  for (const char* path : {"", "stream", "streams/live/a/b/c", "videos/1/x", "videos/1/timeline/0",
                           "streams//cam", "openapi.json/x"}) {
    const Answer answer = call(backend, Method::kGet, path);
    assert_int_equal(answer.status(), 404);
    assert_true(answer.error_message().find("openapi.json") != std::string::npos);
  }
  const Answer not_an_id = call(backend, Method::kGet, "streams/cam");
  const Answer slug = call(backend, Method::kGet, "videos/abc");
  assert_int_equal(not_an_id.status(), 404);
  assert_true(not_an_id.error_message().find("{app}/{name}") != std::string::npos);
  assert_int_equal(slug.status(), 404);
}

void slashes_at_the_ends_do_not_matter(void**) {
  FakeBackend backend;
  assert_int_equal(call(backend, Method::kGet, "/streams/").status(), 200);
}

void head_answers_as_get(void**) {
  FakeBackend backend;
  const Answer get = call(backend, Method::kGet, "streams");
  const Answer head = call(backend, Method::kHead, "streams");
  assert_int_equal(head.status(), 200);
  assert_string_equal(head.response.body.c_str(), get.response.body.c_str());
}

void a_name_may_look_like_a_call(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "start_recording");
  (void)backend.rows->ensure_stream("12", "cam");
  const Answer verb_name = call(backend, Method::kGet, "streams/live/start_recording");
  const Answer number_app = call(backend, Method::kGet, "streams/12/cam");
  const Answer verb = call(backend, Method::kPut, "streams/live/start_recording/start_recording");
  assert_true(verb_name.json["name"] == "start_recording");
  assert_true(number_app.json["app"] == "12");
  assert_int_equal(verb.status(), 409);
}

void refuses_bodies_that_are_no_json_object(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "cam");
  const std::vector<std::string> bodies = {"{",
                                           "[]",
                                           "1",
                                           "nil",
                                           "{\"a\":\"\xff\"}",
                                           std::string(100, '[') + std::string(100, ']'),
                                           R"({"stream":5})"};
  for (const std::string& body : bodies) {
    assert_int_equal(call(backend, Method::kPatch, "streams/1", body).status(), 400);
  }
  const Answer empty = call(backend, Method::kPatch, "streams/1", "", "");
  const Answer form = call(backend, Method::kPost, "streams", "name=a", "text/plain");
  const Answer big = call(backend, Method::kPatch, "streams/1", std::string(70'000, ' '));
  assert_int_equal(empty.status(), 415);
  assert_int_equal(form.status(), 415);
  assert_int_equal(big.status(), 413);
}

void says_which_field_is_wrong(void**) {
  FakeBackend backend;
  (void)backend.rows->put_video(test::video_row(1, "s"));
  const std::vector<std::pair<std::string, std::string>> faults = {
      {R"({"app":"live"})", "name"},
      {R"({"app":"live","name":""})", "name"},
      {R"({"app":"live","name":5})", "name"},
      {R"({"app":"live","name":"a?b"})", "name"},
      {R"({"app":"live","name":"a\u0000b"})", "name"},
      {R"({"app":"live","name":")" + std::string(256, 'a') + R"("})", "name"},
      {R"({"app":null,"name":"a"})", "app"},
      {R"({"app":"live","name":"a","auto_record":"yes"})", "auto_record"},
      {R"({"app":"live","name":"a","auto_record":1})", "auto_record"},
      {R"({"app":"live","name":"a","record_type":"copy"})", "record_type"},
      {R"({"app":"live","name":"a","client_user_id":1.5})", "client_user_id"},
      {R"({"app":"live","name":"a","client_user_id":9223372036854775808})", "client_user_id"},
      {R"({"app":"live","name":"a","client_entity_data":{}})", "client_entity_data"},
  };
  for (const auto& [body, field] : faults) {
    const Answer answer = call(backend, Method::kPost, "streams", body);
    assert_int_equal(answer.status(), 400);
    assert_true(answer.error_message().find("\"" + field + "\"") != std::string::npos);
  }
  assert_int_equal(call(backend, Method::kPatch, "videos/1", R"({"name":""})").status(), 400);
  assert_int_equal(call(backend, Method::kPatch, "videos/1", R"({"name":null})").status(), 400);
  assert_int_equal(backend.rows->streams(0, 10).value().size(), 0);
}

void says_which_parameter_is_wrong(void**) {
  FakeBackend backend;
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"page=0", "page"},
      {"page=x", "page"},
      {"per_page=101", "per_page"},
      {"per_page=0", "per_page"},
      {"page=99999999999999999999", "page"},
      {"status=done", "status"},
      {"id=1,x", "id"},
      {"stream_id=-1", "stream_id"},
      {"stream_id=", "stream_id"},
      {"search=%4", "query"},
      {"client_user_id=x", "client_user_id"},
  };
  for (const auto& [query, parameter] : faults) {
    const Answer answer = call(backend, Method::kGet, "videos?" + query);
    assert_int_equal(answer.status(), 400);
    assert_true(answer.error_message().find(parameter) != std::string::npos);
  }
  const Answer others = call(backend, Method::kGet, "videos?token=secret&&page=1000000000");
  const Answer bad_path = call(backend, Method::kGet, "streams/live/a%zz");
  assert_int_equal(others.status(), 200);
  assert_int_equal(bad_path.status(), 400);
}

void percent_encoding_goes_both_ways(void**) {
  std::string all;
  for (int c = 0; c < 256; ++c) {
    all += static_cast<char>(c);
  }
  assert_true(percent_decode(percent_encode(all)) == all);
  assert_string_equal(percent_encode("a/b c~").c_str(), "a%2Fb%20c~");
  assert_true(percent_decode("a+b") == std::string("a+b"));
  assert_false(percent_decode("a%2").has_value());
}

void describes_itself(void**) {
  FakeBackend backend;
  const Answer answer = call(backend, Method::kGet, "openapi.json");
  assert_int_equal(answer.status(), 200);
  assert_true(answer.json["openapi"].get<std::string>().starts_with("3.1"));
  assert_true(answer.json["paths"]["/streams/{id}/start_recording"].contains("put"));
}

// Each field that is sent is described, and the other way round.
void describes_every_field(void**) {
  FakeBackend backend;
  (void)backend.rows->ensure_stream("live", "cam");
  (void)backend.rows->put_video(test::video_row(1, "s"));
  const Json schemas = call(backend, Method::kGet, "openapi.json").json["components"]["schemas"];
  const auto same_fields = [&](const char* schema, const Json& object) {
    std::vector<std::string> described, sent;
    for (const auto& [name, value] : schemas[schema]["properties"].items()) {
      described.push_back(name);
    }
    for (const auto& [name, value] : object.items()) {
      sent.push_back(name);
    }
    return described == sent;
  };
  const Json stream = call(backend, Method::kGet, "streams/1").json;
  const Json video = call(backend, Method::kGet, "videos/1").json;
  backend.publish("live", "cam", 1);
  const Json start = call(backend, Method::kPut, "streams/1/start_recording").json;
  const Json live = call(backend, Method::kGet, "streams/1").json;
  assert_true(same_fields("Stream", stream));
  assert_true(same_fields("Video", video));
  assert_true(same_fields("RecordingStarted", start));
  assert_true(same_fields("Recording", start["recording"]));
  assert_true(same_fields("Session", live["session"]));
}

const CMUnitTest kTests[] = {
    cmocka_unit_test(names_the_allowed_methods),
    cmocka_unit_test(unknown_paths_are_404_with_help),
    cmocka_unit_test(slashes_at_the_ends_do_not_matter),
    cmocka_unit_test(head_answers_as_get),
    cmocka_unit_test(a_name_may_look_like_a_call),
    cmocka_unit_test(refuses_bodies_that_are_no_json_object),
    cmocka_unit_test(says_which_field_is_wrong),
    cmocka_unit_test(says_which_parameter_is_wrong),
    cmocka_unit_test(percent_encoding_goes_both_ways),
    cmocka_unit_test(describes_itself),
    cmocka_unit_test(describes_every_field),
};

}  // namespace

int main() { return cmocka_run_group_tests(kTests, nullptr, nullptr); }
