#include "api/json.hpp"

#include <type_traits>
#include <variant>

#include "base/strings.hpp"

template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace recording::api {

namespace {

constexpr int kMaxDepth = 16;

// Whether brackets nest deeper than any body of this API needs.
bool too_deep(std::string_view body) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) {
        return true;
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_object(std::string_view body) {
  if (body.empty()) {
    return Error{Errc::kInvalidArgument,
                 "malformed_json: this call needs a JSON object as its body"};
  }
  if (too_deep(body)) {
    return Error{Errc::kInvalidArgument, "malformed_json: the body is nested too deeply"};
  }
  Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return Error{Errc::kInvalidArgument, "malformed_json: the body is not valid JSON in UTF-8"};
  }
  if (!json.is_object()) {
    return Error{Errc::kInvalidArgument, "malformed_json: the body must be a JSON object"};
  }
  return json;
}

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json time_or_null(std::int64_t wall_ms) {
  return wall_ms > 0 ? Json(iso8601(wall_ms)) : Json(nullptr);
}

Json positive_or_null(std::int64_t value) { return value > 0 ? Json(value) : Json(nullptr); }

Json text_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(std::string(text));
}

}  // namespace recording::api
