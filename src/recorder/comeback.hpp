#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "recorder/recording_writer.hpp"

namespace recording::recorder {

// What is known of a recording whose writer is gone.
struct ComebackRequest {
  std::string spool, runtime_directory;
  mp4::Identity identity;      // used where there is no file yet
  std::uint64_t session = 0;   // the session that wrote last; 0: not known (the file's mark says it)
  std::uint64_t fence = 0;
  PerKind<std::uint64_t> first_ordinal{};  // of that session, where the file has no mark of it yet
};

struct Comeback {
  std::unique_ptr<RecordingWriter> writer;  // nullptr: nothing was ever handed to it
  std::uint64_t recovered_samples = 0;      // taken from the journal
};

// The one way back to a recording, whatever ended its writer: an encoder that went away, a reload, a
// killed worker, a reboot. Reopens the file, adds what the journal still holds of its last session,
// syncs, and gives the journal's space back. Pool threads; the caller holds the recording's lock.
Result<Comeback> come_back(storage::FileSystem& files, const ComebackRequest& request);

}  // namespace recording::recorder
