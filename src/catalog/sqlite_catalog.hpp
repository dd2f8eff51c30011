#pragma once

#include <memory>
#include <string>

#include "catalog/catalog.hpp"

namespace recording::catalog {

// The catalogue in one SQLite file (WAL, so that reading never waits for writing; every change is
// on disk when the call returns). A writer makes the file and its tables where they are missing,
// and brings older ones up to date. Blocks: pool threads only.
//
// kUnavailable: the file is not there yet (a reader), is locked, or is of a newer version;
// kCorrupt, kIo, kNoSpace, kInvalidArgument: the sentence says what to do.
Result<std::unique_ptr<Catalog>> open_sqlite_catalog(const std::string& path, bool writer);

}  // namespace recording::catalog
