#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace recording {

std::string to_hex(ByteView bytes);
// 128 random bits (getrandom(2)) as 32 lower-case hex digits: slugs, transactions.
std::string random_id();
std::uint64_t random_u64();

// 2026-11-23T10:20:30.123Z
std::string iso8601(std::int64_t wall_ms);
// 2026-11-23, of the UTC day
std::string iso_date(std::int64_t wall_ms);

bool is_valid_utf8(std::string_view text);
// Invalid UTF-8 replaced by U+FFFD, so that it can stand in JSON and logs.
std::string to_valid_utf8(std::string_view text);

// A name of a stream or application as one path component that no name can escape or collide with:
// bytes of [A-Za-z0-9_-] and inner '.' are kept, all others become %XX; at most 120 bytes, a longer
// one is cut and ends in a hash of the whole. Never empty, ".", "..".
std::string path_component(std::string_view name);

// A URL as it may stand in logs: scheme, host and path. User, password and query may be secrets.
std::string url_without_secrets(std::string_view url);

}  // namespace recording
