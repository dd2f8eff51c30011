#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "recorder/recording_writer.hpp"

namespace recording::recorder {

// How a recording ended; with its Identity, all that the catalogue's row needs.
struct Outcome {
  mp4::Identity identity;
  std::string error;  // "too_short", "nothing_received"; empty: kept
  std::string path;   // of its folder, relative to storage; empty: in the spool
  std::int64_t duration_ms = 0;
  std::uint64_t size = 0;
  std::uint32_t width = 0, height = 0;
  std::int64_t ended_wall_ms = 0;  // 0: not known
  bool uniform = true;             // the source's parameters never changed
  std::vector<catalog::RecordingTime> times;
};

// {app}/{stream}/{UTC date}/{slug}: names as path components that cannot escape (base/strings.hpp).
std::string storage_folder(const mp4::Identity& identity);

// Makes a regular MP4 of a recording and moves it from the spool to the storage, or removes it when
// it is shorter than its minimum. `writer` may be nullptr: nothing was ever saved. Safe to repeat
// after a failure or a crash at any point. Pool threads; the caller holds the recording's lock.
Result<Outcome> conclude(storage::FileSystem& files, const std::string& spool,
                         const std::string& storage, const mp4::Identity& identity,
                         RecordingWriter* writer);

// Removes a recording that nobody wants from the spool. Safe to repeat. Pool threads, as
// conclude().
Status remove_recording(storage::FileSystem& files, const std::string& spool,
                        const std::string& slug);

// The outcome of a recording whose file conclude() had already moved. kNotFound: it had not.
Result<Outcome> concluded_before(storage::FileSystem& files, const std::string& storage,
                                 const mp4::Identity& identity);

// What a finished file of ours tells, but for `path`: a recording, or a rendition. Changes nothing.
// kConflict: it is not finished. Pool threads.
Result<Outcome> read_outcome(storage::FileSystem& files, const std::string& path);

}  // namespace recording::recorder
