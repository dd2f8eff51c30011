#include "exporter/entity.hpp"

#include <charconv>

#include "runtime/sip_hash.hpp"

namespace recording::exporter {
namespace {

constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;

std::string hex(std::uint64_t value) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof(text), value, 16);
  return {text, end.ptr};
}

}  // namespace

Entity finished_entity(std::uint64_t length, std::int64_t modified_ns) {
  return {'"' + hex(length) + '-' + hex(static_cast<std::uint64_t>(modified_ns)) + '"',
          modified_ns / kNanosecondsInSecond, true};
}

Entity growing_entity(std::uint64_t length, std::int64_t modified_ns) {
  return {'"' + hex(length) + "-g\"", modified_ns / kNanosecondsInSecond - 1, false};
}

Entity clip_entity(ByteView front, std::uint64_t length, bool finished, std::int64_t modified_ns) {
  runtime::SipHash hash(0, 0);
  for (const std::uint8_t byte : front) {
    hash.add(byte);
  }
  Entity entity =
      finished ? finished_entity(length, modified_ns) : growing_entity(length, modified_ns);
  entity.etag = '"' + hex(length) + "-c" + hex(hash.finish()) + '"';
  return entity;
}

}  // namespace recording::exporter
