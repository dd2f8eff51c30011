#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace recording::exporter {

// What tells one state of a download from another (RFC 9110, 8.8).
struct Entity {
  std::string etag;                // with its quotes; strong: equal tags mean equal bytes
  std::int64_t last_modified = 0;  // seconds since 1970
  // Whether last_modified may stand for the bytes in If-Range, If-Modified-Since and so on.
  bool dated = false;
};

// A finished file never changes again; the time keeps apart two outcomes of the same length, as
// when a recovery had to finish it a second time.
Entity finished_entity(std::uint64_t length, std::int64_t modified_ns);

// Another length is another entity. The file changes several times within a second, so its date
// proves nothing; it is given a second too old so that it cannot be taken for the finished file's,
// whose bytes are laid out differently.
Entity growing_entity(std::uint64_t length, std::int64_t modified_ns);

// A clip is told by what comes before its media, which has the time, size and place of every
// sample: one that is over stays the same entity while its recording goes on, and when that is
// finished.
Entity clip_entity(ByteView front, std::uint64_t length, bool finished, std::int64_t modified_ns);

}  // namespace recording::exporter
