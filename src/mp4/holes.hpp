#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "mp4/scanner.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// After a power cut a file may have its length while bytes of the last writes read as zeros. Where
// the last fragments of `scan` have such holes, gives the offset where the first of them begins,
// else scan.end. What begins before `intact` is not looked at: encoders may pad with zeros.
Result<std::uint64_t> end_without_holes(storage::File& file, const Scan& scan,
                                        std::uint64_t intact);

}  // namespace recording::mp4
