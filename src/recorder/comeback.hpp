#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "recorder/recording_writer.hpp"
#include "runtime/records.hpp"

namespace recording::recorder {

// Samples of one session that belong to a recording, by their numbers: [first, end).
struct SessionPart {
  std::uint64_t session = 0;
  PerKind<std::uint64_t> first{};  // counts where the file has no mark of the session yet
  PerKind<std::uint64_t> end{~std::uint64_t{0}, ~std::uint64_t{0}};
};

// What is known of a recording whose writer is gone.
struct ComebackRequest {
  std::string spool, runtime_directory;
  std::string stored_path;         // where conclude() would have moved the file
  mp4::Identity identity;          // used where there is no file yet
  std::vector<SessionPart> parts;  // that may not be in the file, the oldest first
  std::uint64_t fence = 0;
  std::uint64_t committed = 0;  // bytes of the file that the live state, so this boot, knows of
  bool synced = true;           // they are on the disk as well: the recording is synced as it grows
  runtime::Gauge<std::int64_t>* suspect_from = nullptr;  // RecordingRecord's
  // Sessions that other recordings need too: their space in the journal is not given back.
  std::vector<std::uint64_t> shared_sessions;
};

struct Comeback {
  std::unique_ptr<RecordingWriter> writer;  // nullptr: nothing was ever handed to it
  bool made = false;                        // there was no file
  std::uint64_t recovered_samples = 0;      // taken from the journal
};

// The one way back to a recording, whatever ended its writer: an encoder that went away, a reload,
// a killed worker, a reboot. Reopens the file, adds what the journal still holds of its last
// session, syncs, and gives the journal's space back. Pool threads; the caller holds the
// recording's lock.
Result<Comeback> come_back(storage::FileSystem& files, const ComebackRequest& request);

}  // namespace recording::recorder
