#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "mp4/media_index.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// Goes through all indexes of a file in order: those in boxes, then the one still in memory. Holds
// one box at a time, and eight bytes for each (2 KB for 4 h).
class IndexWalk {
 public:
  class Visitor {
   public:
    virtual ~Visitor() = default;
    virtual Status on_note(const Note& note) = 0;
    virtual Status on_run(const IndexedRun& run) = 0;
  };

  // `last`: offset of the last index box, 0 for none; `limit`: where the boxes end at the latest.
  static Result<IndexWalk> open(storage::File& file, std::uint64_t last, std::uint64_t limit);

  // Notes come before the fragments behind them. `newest`: payload of the index in memory, may be
  // empty.
  Status run(Visitor& visitor, ByteView newest) const;

 private:
  IndexWalk(storage::File& file, std::uint64_t limit) : file_(&file), limit_(limit) {}

  storage::File* file_;
  std::uint64_t limit_;
  std::vector<std::uint64_t> boxes_;  // the last one first
};

}  // namespace recording::mp4
