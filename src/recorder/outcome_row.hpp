#pragma once

#include "catalog/catalog.hpp"
#include "recorder/conclusion.hpp"

// How a recording, begun or ended, comes into the catalogue.
namespace recording::recorder {

// All that the file tells; id, stream and last_sequence are the caller's.
void describe_outcome(const Outcome& outcome, catalog::VideoRow& row);

// Puts it there. `row.stream_id` 0: of the identity's stream, which is made when there is none;
// `row.last_sequence` is false in the end where the catalogue has a later part. Pool threads.
Status put_recording_row(catalog::Catalog& catalog, const mp4::Identity& identity,
                         catalog::VideoRow row);

}  // namespace recording::recorder
