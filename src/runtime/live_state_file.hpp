#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace recording::runtime {

// The mapped file {directory}/state, complete and of this layout and boot.
struct MappedFile {
  void* address = nullptr;
  std::uint64_t size = 0;
};

// Opens it or makes one; of any number of processes that begin at once, one makes it. A file that
// does not fit is set aside. The caller unmaps.
Result<MappedFile> map_live_state(const std::string& directory, std::uint64_t zone_bytes);

}  // namespace recording::runtime
