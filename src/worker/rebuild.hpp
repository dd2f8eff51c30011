#pragma once

#include <cstdint>

#include "base/log.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "storage/file.hpp"

namespace recording::worker {

struct Rebuilt {
  std::int64_t put = 0;         // videos
  std::int64_t known = 0;       // they have a row, or were deleted
  std::int64_t unreadable = 0;  // files and folders; each is told to the log
};

// Puts every finished video of the storage that the catalogue lacks into it, with its stream and
// the qualities beside it, from what the files tell; what is not in them is lost: settings of
// streams, and what a user changed. What is missing of qualities and pictures is a job then. May be
// repeated. An error: of the catalogue or the storage itself. Blocks.
Result<Rebuilt> rebuild_catalog(const config::Config& config, storage::FileSystem& files,
                                catalog::Catalog& rows, Log& log);

}  // namespace recording::worker
