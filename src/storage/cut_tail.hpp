#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "storage/file.hpp"

namespace recording::storage {

// Copies what `source` has from `offset` on to the beginning of `target`, and syncs that. Gives how
// many bytes. Pool threads.
Result<std::uint64_t> copy_rest(File& source, std::uint64_t offset, File& target);

// Cuts `file`, whose name is `path`, down to `size` bytes. What it cuts off is safe in a file
// beside it before: {path}.torn, or the first of .torn.2, .torn.3, … that there is not yet. Gives
// that name. After an Error nothing was cut off, and nothing is left beside. Pool threads.
Result<std::string> cut_and_keep(FileSystem& files, File& file, const std::string& path,
                                 std::uint64_t size);

}  // namespace recording::storage
