#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "mp4/file_state.hpp"
#include "mp4/head.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// What is in a file that somebody else wrote, perhaps up to a crash.
struct Scan {
  Head head;
  FileState state;
  std::uint64_t end = 0;        // of the last whole box: what follows is torn
  std::uint64_t media_end = 0;  // of the last whole fragment
  Bytes init;                   // ftyp and moov that the head must have: of its last copy
};

// Walks the boxes from the head on, up to `limit` or the first one that is not whole; changes
// nothing. kCorrupt when the head, the identity, the first epoch or the first mark is not whole:
// they came with the first write, so nothing is behind them.
Result<Scan> scan(storage::File& file, std::uint64_t limit);

}  // namespace recording::mp4
