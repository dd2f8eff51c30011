#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "storage/file.hpp"

namespace recording::inspect {

struct Closed {
  bool was_finished = false;  // then nothing was done
  std::uint64_t kept = 0;     // bytes that belong to no whole fragment, now in `kept_path`
  std::string kept_path;
};

// Makes a regular MP4 of a recording that a crash left open, as nginx itself would at its next
// start, but without the samples that are in the journal only. Claims the file first: kUnavailable
// when somebody writes it. What is cut off goes to a file beside it before; nothing is removed.
// kCorrupt: it cannot be repaired, and was not touched.
Result<Closed> close_recording(storage::FileSystem& files, const std::string& path);

}  // namespace recording::inspect
