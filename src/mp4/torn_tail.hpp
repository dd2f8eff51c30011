#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

struct Scan;

// What is in a file behind what is whole of it, and is to be cut off.
struct TornTail {
  enum class What {
    kUnfinishedEnd,  // what finish() had written before it was interrupted: no media
    kFragment,       // one fragment, or the beginning of one, or nothing but zeros
    kMore            // the file is damaged, or a power cut took much: there may be media in it
  };
  std::uint64_t from = 0, bytes = 0;
  What what = What::kMore;
};

// Of a file that goes on behind found.end.
Result<TornTail> look_at_tail(storage::File& file, const Scan& found);

}  // namespace recording::mp4
