#pragma once

#include <cstdint>

namespace recording::mp4 {

// What is whole of a file that is still recorded, as its writer tells it to readers elsewhere. A
// plain length will do; with `last_index` nothing in front of that box has to be walked.
struct Committed {
  // NOLINTNEXTLINE(google-explicit-constructor)
  Committed(std::uint64_t length_in = 0, std::uint64_t last_index_in = 0)
      : length(length_in), last_index(last_index_in) {}

  std::uint64_t length;      // up to the last whole fragment
  std::uint64_t last_index;  // offset of the last index box, or of one before it; 0: not known
};

}  // namespace recording::mp4
