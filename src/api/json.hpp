#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

// Made once, in json.cpp: it is most of what compiling the API takes.
extern template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace recording::api {

using Json = nlohmann::ordered_json;  // fields come out in the order of the documents

inline constexpr std::size_t kMaxBody = 64 * 1024;

// An object from a request's body. kInvalidArgument with "code: sentence" otherwise.
Result<Json> parse_object(std::string_view body);

// Never throws: bytes of encoders that are no UTF-8 become U+FFFD.
std::string to_text(const Json& json);

Json time_or_null(std::int64_t wall_ms);    // 0: null
Json positive_or_null(std::int64_t value);  // 0: null
Json text_or_null(std::string_view text);   // empty: null

}  // namespace recording::api
