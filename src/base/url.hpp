#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace recording {

// RFC 3986, 2.1. Empty: a '%' without two hex digits after it.
std::optional<std::string> percent_decode(std::string_view text);
// All but the unreserved characters (RFC 3986, 2.3) become %XX.
std::string percent_encode(std::string_view text);

// The path's segments, each decoded; a slash at either end is ignored. Empty: badly encoded.
std::optional<std::vector<std::string>> split_path(std::string_view path);

// The parameters of a query, in order, decoded; '+' is a space. Empty: badly encoded.
using Query = std::vector<std::pair<std::string, std::string>>;
std::optional<Query> parse_query(std::string_view query);

// A decimal integer and nothing else, without leading zeros or '+'.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace recording
