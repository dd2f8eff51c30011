#include "wire.hpp"

#include <cstdio>

namespace rtmp_publisher {

std::string json_quote(std::string_view raw) {
  std::string quoted = "\"";
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte > 0x7e) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted += '"';
}

}  // namespace rtmp_publisher
