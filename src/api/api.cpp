#include "api/api.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "api/calls.hpp"
#include "api/json.hpp"
#include "api/openapi_document.hpp"
#include "api/replies.hpp"
#include "api/routes.hpp"

namespace recording::api {

namespace {

// "application/json", with or without parameters (RFC 9110, 8.3.1: in any case of letters).
bool is_json(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && type.back() == ' ') {
    type.pop_back();
  }
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type == "application/json";
}

bool needs_body(Operation operation) {
  return operation == Operation::kAddStream || operation == Operation::kChangeStream ||
         operation == Operation::kChangeVideo || operation == Operation::kAddRendition;
}

void describe(Call call) {
  Response response;
  response.body = std::string(openapi_document());
  call.done(std::move(response));
}

void dispatch(Operation operation, Call call) {
  switch (operation) {
    case Operation::kListStreams:
      return list_streams(std::move(call));
    case Operation::kAddStream:
      return add_stream(std::move(call));
    case Operation::kGetStream:
      return get_stream(std::move(call));
    case Operation::kChangeStream:
      return change_stream(std::move(call));
    case Operation::kDeleteStream:
      return delete_stream(std::move(call));
    case Operation::kStartRecording:
      return start_recording(std::move(call));
    case Operation::kStopRecording:
      return stop_recording(std::move(call));
    case Operation::kListSessions:
      return list_sessions(std::move(call));
    case Operation::kListVideos:
      return list_videos(std::move(call));
    case Operation::kGetVideo:
      return get_video(std::move(call));
    case Operation::kChangeVideo:
      return change_video(std::move(call));
    case Operation::kDeleteVideo:
      return delete_video(std::move(call));
    case Operation::kAddRendition:
      return add_rendition(std::move(call));
    case Operation::kGetTimeline:
      return get_timeline(std::move(call));
    case Operation::kGetSpace:
      return get_space(std::move(call));
    case Operation::kListWebhooks:
      return list_webhooks(std::move(call));
    case Operation::kWatchEvents:
      return watch_events(std::move(call));
    case Operation::kDescribe:
      return describe(std::move(call));
  }
}

}  // namespace

void Api::handle(Request request, std::function<void(Response)> done) {
  Result<Target> target = parse_target(request.path);
  if (!target) {
    return done(failure(target.error()));
  }
  const std::optional<Operation> operation = find_operation(request.method, target.value().pattern);
  if (!operation) {
    const std::string allow = allowed_methods(target.value().pattern);
    Response response = failure(405, "method_not_allowed", "this path takes " + allow);
    response.allow = allow;
    return done(std::move(response));
  }
  if (request.body.size() > kMaxBody) {
    return done(failure(413, "body_too_large",
                        "a body has at most " + std::to_string(kMaxBody) + " bytes"));
  }
  if (needs_body(*operation) && !is_json(request.content_type)) {
    return done(failure(415, "unsupported_media_type",
                        "send the body as JSON, with Content-Type: application/json"));
  }
  dispatch(*operation, {&backend_, std::move(request), std::move(target).value(), std::move(done)});
}

}  // namespace recording::api
