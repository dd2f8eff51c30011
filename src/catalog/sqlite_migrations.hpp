#pragma once

#include "base/result.hpp"
#include "catalog/sqlite_database.hpp"

namespace recording::catalog {

// Makes the schema, or brings an older one up to this version; several processes may try at once.
// kUnavailable: the file was made by a newer version; kInvalidArgument: it belongs to another
// program.
Status migrate(SqliteDatabase& database);

// For a connection that only reads: kUnavailable until the schema is this version's.
Status check_schema(SqliteDatabase& database);

}  // namespace recording::catalog
