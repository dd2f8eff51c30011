#include "api/routes.hpp"

#include <vector>

#include "base/url.hpp"

namespace recording::api {

namespace {

struct Route {
  Method method;
  std::string_view pattern;
  Operation operation;
};

// Compared with the documents by tools/check_api_docs.py: one row a line.
constexpr Route kRoutes[] = {
    {Method::kGet, "/streams", Operation::kListStreams},
    {Method::kPost, "/streams", Operation::kAddStream},
    {Method::kGet, "/streams/{id}", Operation::kGetStream},
    {Method::kPatch, "/streams/{id}", Operation::kChangeStream},
    {Method::kDelete, "/streams/{id}", Operation::kDeleteStream},
    {Method::kPut, "/streams/{id}/start_recording", Operation::kStartRecording},
    {Method::kPut, "/streams/{id}/stop_recording", Operation::kStopRecording},
    {Method::kGet, "/streams/{id}/sessions", Operation::kListSessions},
    {Method::kGet, "/videos", Operation::kListVideos},
    {Method::kGet, "/videos/{id}", Operation::kGetVideo},
    {Method::kPatch, "/videos/{id}", Operation::kChangeVideo},
    {Method::kDelete, "/videos/{id}", Operation::kDeleteVideo},
    {Method::kPost, "/videos/{id}/renditions", Operation::kAddRendition},
    {Method::kGet, "/videos/{id}/timeline", Operation::kGetTimeline},
    {Method::kGet, "/space", Operation::kGetSpace},
    {Method::kGet, "/webhooks", Operation::kListWebhooks},
    {Method::kGet, "/events", Operation::kWatchEvents},
    {Method::kGet, "/openapi.json", Operation::kDescribe},
};

std::string_view name_of(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET, HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kHead:
    case Method::kOther:
      break;
  }
  return "";
}

// What follows a stream's id or names.
std::string_view verb_pattern(std::string_view verb) {
  for (const std::string_view pattern :
       {"/streams/{id}/start_recording", "/streams/{id}/stop_recording",
        "/streams/{id}/sessions"}) {
    if (pattern.substr(pattern.rfind('/') + 1) == verb) {
      return pattern;
    }
  }
  return "";
}

// `rest`: what follows "videos".
std::string_view video_pattern(const std::vector<std::string>& rest) {
  if (rest.size() == 1) {
    return "/videos/{id}";
  }
  if (rest.size() == 2 && rest[1] == "timeline") {
    return "/videos/{id}/timeline";
  }
  return rest.size() == 2 && rest[1] == "renditions" ? "/videos/{id}/renditions" : "";
}

Error no_such_path() {
  return {Errc::kNotFound,
          "no_such_path: there is no such call; GET openapi.json under the same prefix lists them"};
}

// `rest`: what follows "streams".
Result<Target> stream_target(std::vector<std::string> rest) {
  Target target;
  target.pattern = "/streams/{id}";
  target.id = parse_integer(rest[0]);
  if (rest.size() == 1) {
    if (!target.id) {
      return Error{Errc::kNotFound,
                   "stream_not_found: a stream is named by its integer id or by {app}/{name}"};
    }
    return target;
  }
  // streams/12/start_recording is the call on stream 12; streams/live/start_recording is the stream
  // of that name.
  if (rest.size() == 2 && target.id && !verb_pattern(rest[1]).empty()) {
    target.pattern = verb_pattern(rest[1]);
    return target;
  }
  if (rest.size() == 3) {
    target.pattern = verb_pattern(rest[2]);
  }
  if (rest.size() > 3 || target.pattern.empty() || rest[0].empty() || rest[1].empty()) {
    return no_such_path();
  }
  target.id.reset();
  target.app = std::move(rest[0]);
  target.name = std::move(rest[1]);
  return target;
}

}  // namespace

Result<Target> parse_target(std::string_view path) {
  std::optional<std::vector<std::string>> segments = split_path(path);
  if (!segments) {
    return Error{Errc::kInvalidArgument, "bad_path: the path has a '%' without two hex digits"};
  }
  const std::string first = segments->front();
  segments->erase(segments->begin());
  for (const std::string_view whole :
       {"/streams", "/videos", "/space", "/webhooks", "/events", "/openapi.json"}) {
    if (segments->empty() && first == whole.substr(1)) {
      Target target;
      target.pattern = whole;
      return target;
    }
  }
  if (first == "streams" && !segments->empty()) {
    return stream_target(std::move(*segments));
  }
  const std::string_view pattern = first == "videos" ? video_pattern(*segments) : "";
  if (!pattern.empty()) {
    Target target;
    target.pattern = pattern;
    target.id = parse_integer(segments->front());
    if (!target.id) {
      return Error{Errc::kNotFound, "video_not_found: a video is named by its integer id"};
    }
    return target;
  }
  return no_such_path();
}

std::optional<Operation> find_operation(Method method, std::string_view pattern) {
  if (method == Method::kHead) {
    method = Method::kGet;
  }
  for (const Route& route : kRoutes) {
    if (route.method == method && route.pattern == pattern) {
      return route.operation;
    }
  }
  return std::nullopt;
}

std::string allowed_methods(std::string_view pattern) {
  std::string methods;
  for (const Route& route : kRoutes) {
    if (route.pattern == pattern) {
      methods += (methods.empty() ? "" : ", ") + std::string(name_of(route.method));
    }
  }
  return methods;
}

}  // namespace recording::api
