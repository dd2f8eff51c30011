#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rtmp_publisher {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// Appends the low `width` bytes of `value`, most significant first.
inline void put_be(Bytes& out, std::uint64_t value, int width) {
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

inline void put_bytes(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline std::uint64_t get_be(const std::uint8_t* at, int width) {
  std::uint64_t value = 0;
  for (int i = 0; i < width; ++i) {
    value = value << 8 | at[i];
  }
  return value;
}

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// FNV-1a, 64 bits: enough to tell any two messages of a test apart, and three lines in any
// language.
inline std::uint64_t fnv1a(ByteView bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::uint8_t byte : bytes) {
    hash = (hash ^ byte) * 0x100000001b3ULL;
  }
  return hash;
}

// Text for a JSON string. Names are raw bytes: what is not printable ASCII becomes \u00XX, byte by
// byte (as latin-1), so that a reader gets the exact bytes back.
std::string json_quote(std::string_view raw);

}  // namespace rtmp_publisher
