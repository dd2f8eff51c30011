#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "mp4/sample.hpp"
#include "mp4/track_table.hpp"
#include "recorder/timeline.hpp"
#include "storage/file.hpp"

namespace recording::inspect {

// What a recording's file says of itself.
struct Facts {
  mp4::Identity identity;
  bool finished = false;
  std::uint64_t size = 0;   // bytes of the file
  std::uint64_t whole = 0;  // of them, up to the last whole fragment; all, once finished
  mp4::PerTrack<std::uint64_t> samples{};
  recorder::Timeline timeline;
};

// Reads all of it, changes nothing. kCorrupt: it is not one of ours, or is damaged in its head;
// kNotFound: no media is in it yet.
Result<Facts> read_facts(storage::File& file);

}  // namespace recording::inspect
