#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "mp4/recording_file.hpp"
#include "recorder/batch.hpp"
#include "recorder/source_change.hpp"
#include "storage/file.hpp"

namespace recording::recorder {

// Where a recording lives in the spool.
std::string spool_folder(const std::string& spool, const std::string& slug);
std::string spool_path(const std::string& spool, const std::string& slug);

// What was cut off a file because it was not whole.
struct CutOff {
  std::uint64_t from = 0, bytes = 0;
  std::string kept_path;  // empty: it was no more than one fragment
};
// For the log.
LogLevel level_of(const CutOff& cut);
std::string tell(const CutOff& cut, const std::string& path);

// Samples in ticks of their session, as a batch or the journal has them.
struct SessionSamples {
  PerKind<std::span<const mp4::Sample>> samples;
  PerKind<std::span<const iovec>> pieces;
  PerKind<std::uint32_t> last_duration{};
  PerKind<const media::TrackConfig*> config{};
  PerKind<std::uint64_t> first_ordinal{};
  std::span<const media::TimestampRepair> repairs;  // session time
};

// The pool-thread side of one recording: puts the samples of its sessions on the file's timeline
// and appends them. One thread at a time; every call may block. A failed call may be tried again.
class RecordingWriter {
 public:
  // Makes {spool}/{slug}/source.mp4. Nothing is on disk before this.
  static Result<std::unique_ptr<RecordingWriter>> create(storage::FileSystem& files,
                                                         const std::string& spool,
                                                         const mp4::Identity& identity);
  // Opens one that exists. kNotFound: there is none. What has to be cut off, and is more than a
  // torn fragment, is kept beside; how.cut is not looked at.
  static Result<std::unique_ptr<RecordingWriter>> reopen(storage::FileSystem& files,
                                                         const std::string& spool,
                                                         const std::string& slug,
                                                         mp4::Reopening how = {});

  // One fragment. `seam` is noted in front of it; the first call for a session must bring one.
  Status append(const SessionSamples& samples, const Seam* seam);
  void begin_sync() { file_->begin_sync(); }
  Status sync() { return file_->sync(); }
  // Forgets what was appended since the last sync() that succeeded; see mp4::RecordingFile.
  Status rewind();
  Status finish() { return file_->finish(); }

  [[nodiscard]] const mp4::RecordingFile& file() const { return *file_; }
  // What has been appended since the last call.
  std::vector<SourceChange> take_changes() { return std::exchange(changes_, {}); }
  // When it was opened again.
  [[nodiscard]] const std::optional<CutOff>& cut_off() const { return cut_off_; }

 private:
  explicit RecordingWriter(std::unique_ptr<mp4::RecordingFile> file) : file_(std::move(file)) {}
  [[nodiscard]] mp4::Mark mark_for(const SessionSamples& samples, const Seam& seam) const;
  [[nodiscard]] bool since_reopened(const SessionSamples& samples) const;
  [[nodiscard]] std::uint32_t timescale(media::TrackKind kind, const SessionSamples& samples) const;
  [[nodiscard]] SourceChange change_in(const mp4::Fragment& fragment) const;
  void place(media::TrackKind kind, const SessionSamples& samples, std::int64_t origin_us);

  std::unique_ptr<mp4::RecordingFile> file_;
  // The last sample placed of each kind; -1 where there is none, or none since the file was
  // reopened (then the session's own order, which the journal keeps, is enough).
  PerKind<std::int64_t> last_dts_{-1, -1};
  PerKind<std::vector<mp4::Sample>> placed_;     // scratch
  std::vector<media::TimestampRepair> repairs_;  // scratch
  PerKind<media::TrackConfig> adapted_;          // scratch
  std::vector<SourceChange> changes_;
  std::optional<CutOff> cut_off_;
};

}  // namespace recording::recorder
