#pragma once

#include <functional>
#include <memory>

#include "base/result.hpp"
#include "mp4/sample.hpp"
#include "mp4/torn_tail.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// What is known of a file that somebody left.
struct Reopening {
  // So many of its bytes were written, and no power cut has come since: they are not searched for
  // holes.
  std::uint64_t intact = 0;
  // So many are on the disk as well: nothing that is not can be told from what a failed sync lost.
  std::uint64_t synced = ~std::uint64_t{0};
  // A sync failed since then, and the writer has gone.
  bool suspect = false;
  // Cuts off what is not whole; empty: by File::truncate(). After an Error the file is as it was.
  std::function<Status(storage::File&, const TornTail&)> cut;
};

// The crash-safe MP4 of one recording: docs/file-format.md says what is on disk after each step.
// Fragmented while it grows, a regular MP4 after finish(); no media byte is written twice.
// Memory does not grow with the recording's length: what finish() needs lies in the file, in one
// compact index box a minute.
//
// Pool threads only, one at a time; every call may block. A call that failed left the object as it
// was before: the same call may be tried again (same bytes, same offsets).
class RecordingFile {
 public:
  // Takes an empty file. Nothing is written yet: the head goes out with the first fragment, which
  // must bring the configuration of each of its tracks, and a kBegin mark.
  static Result<std::unique_ptr<RecordingFile>> create(std::unique_ptr<storage::File> file,
                                                       Identity identity);

  // Comes back to a file left open by whatever: reads the head (restored from its last copy when
  // torn), follows the fragments, cuts a torn tail off. kCorrupt when there is no whole head;
  // the file is then left untouched. finished() tells whether finish() had passed its commit point.
  static Result<std::unique_ptr<RecordingFile>> reopen(std::unique_ptr<storage::File> file,
                                                       const Reopening& how = {});

  virtual ~RecordingFile() = default;

  // One gathered write of header and media; only a new track or a new epoch takes more.
  virtual Status append(const Fragment& fragment) = 0;
  virtual void begin_sync() = 0;  // see storage::File
  // After a sync that failed the kernel takes for written what it could not write, and the next one
  // would say ok without it. So everything since the last good one is first written again, as the
  // kernel still has it. kCorrupt: it has not; trying again does not help.
  virtual Status sync() = 0;
  // Another answer to that, for who has what was appended somewhere else: forgets what was appended
  // since the last sync() that succeeded, or since it was opened. Of a file that is not finished;
  // after an error nothing else may be called before this has succeeded.
  virtual Status rewind() = 0;
  [[nodiscard]] virtual std::uint64_t synced_length() const = 0;  // what rewind() goes back to
  [[nodiscard]] virtual bool suspect() const = 0;  // the last sync failed, or was never tried again
  // Makes it a regular MP4: appends the full moov, syncs, then overwrites the 16-byte placeholder
  // (the commit point) and syncs. Idempotent.
  virtual Status finish() = 0;

  [[nodiscard]] virtual bool finished() const = 0;
  [[nodiscard]] virtual const Identity& identity() const = 0;
  [[nodiscard]] virtual std::uint64_t length() const = 0;      // end of the last whole fragment, or
                                                               // of the file once finished
  [[nodiscard]] virtual std::uint64_t last_index() const = 0;  // its offset, 0: none yet
  [[nodiscard]] virtual std::int64_t duration_ms()
      const = 0;  // from zero to the end of the longest track
  [[nodiscard]] virtual std::int64_t media_ms() const = 0;  // without kept gaps
  // The current configuration of each track; nullptr: the file has no such track.
  [[nodiscard]] virtual const media::TrackConfig* config(media::TrackKind kind) const = 0;
  // Ticks a second of that track's times in this file, 0: no such track. It is the timescale of its
  // first configuration and never changes: after an epoch with another sample rate the samples are
  // still told in these ticks.
  [[nodiscard]] virtual std::uint32_t timescale(media::TrackKind kind) const = 0;
  // The end of each track's last sample, ticks: where its next one should begin at the earliest.
  // append() takes any dts that is later than the last sample's, and less than 2^31 ticks later.
  [[nodiscard]] virtual std::int64_t end_dts(media::TrackKind kind) const = 0;
  // When the last picture of the track's last run has been seen, ticks, composition offset
  // included.
  [[nodiscard]] virtual std::int64_t end_pts(media::TrackKind kind) const = 0;
  // How many samples of each kind were appended since the last mark, and that mark.
  [[nodiscard]] virtual std::uint64_t samples_since_mark(media::TrackKind kind) const = 0;
  [[nodiscard]] virtual const Mark& last_mark() const = 0;
};

}  // namespace recording::mp4
