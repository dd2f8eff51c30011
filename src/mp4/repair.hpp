#pragma once

#include "base/result.hpp"
#include "mp4/recording_file.hpp"
#include "mp4/scanner.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// Makes a file that is not finished what `found` says of it: cuts off what is torn or has holes,
// brings the head to its last copy, syncs when anything was changed. `found` then tells of the file
// as it is. May be interrupted anywhere and begun again.
Status repair(storage::File& file, Scan& found, const Reopening& how);

}  // namespace recording::mp4
