#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "mp4/committed.hpp"
#include "mp4/head.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// The end of a growing file that no index box tells of yet: a minute of media as a rule.
struct IndexTip {
  std::uint64_t last_index = 0;  // offset of the last index box, 0: none
  Bytes newest;                  // payload that one behind it would have; empty: nothing is there
};

// Walks the boxes from the index that `committed` names, or else from the head, up to its length;
// changes nothing. kCorrupt when they are not whole.
Result<IndexTip> read_index_tip(storage::File& file, const Head& head, const Committed& committed);

}  // namespace recording::mp4
