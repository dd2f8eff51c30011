#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "catalog/catalog_service.hpp"
#include "recorder/segment_chain.hpp"
#include "runtime/live_state.hpp"
#include "runtime/wakeup.hpp"
#include "storage/file.hpp"

namespace recording::recorder {

class Events;
class LiveChanges;
class WriteRounds;

// What the recorder stands on; all of it outlives the recorder. Event loop only, but for `files`
// and `clock`, which jobs use too.
struct Environment {
  runtime::LiveState& state;
  const Clock& clock;
  Log& log;
  Executor& io;      // writes what is recorded, and comes back to it
  Executor& finish;  // ends recordings and removes files, which may be copied for minutes
  storage::FileSystem& files;
  catalog::CatalogService& catalog;
  SegmentPool& segments;
  runtime::WakeupSocket& wakeup;
  Events& events;
  LiveChanges& changes;
  WriteRounds& rounds;
  std::string runtime_directory, spool, storage;
  std::int64_t min_free_bytes = 0;
  std::int64_t keep_ms = 0;  // how long videos are kept after they ended; 0: for ever
};

}  // namespace recording::recorder
