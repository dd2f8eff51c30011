#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/api.hpp"
#include "base/result.hpp"

namespace recording::api {

enum class Operation {
  kListStreams,
  kAddStream,
  kGetStream,
  kChangeStream,
  kDeleteStream,
  kStartRecording,
  kStopRecording,
  kListSessions,
  kListVideos,
  kGetVideo,
  kChangeVideo,
  kDeleteVideo,
  kAddRendition,
  kGetTimeline,
  kGetSpace,
  kListWebhooks,
  kWatchEvents,
  kDescribe
};

// Which stream or video a path names.
struct Target {
  std::string_view pattern;        // as in the table of routes: "/streams/{id}"
  std::optional<std::int64_t> id;  // empty with a stream: app and name say it
  std::string app, name;
};

// kInvalidArgument: badly encoded; kNotFound: no call has such a path.
Result<Target> parse_target(std::string_view path);

// The call of a method on a path's pattern; empty: the method is not allowed there.
std::optional<Operation> find_operation(Method method, std::string_view pattern);
// "GET, HEAD, POST", for 405.
std::string allowed_methods(std::string_view pattern);

}  // namespace recording::api
