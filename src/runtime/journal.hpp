#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/executor.hpp"
#include "base/result.hpp"

namespace recording::runtime {

inline constexpr std::size_t kSegmentSize = 256 * 1024;

inline constexpr std::size_t kExtentSegments = 16;  // of a journal's first extent: 4 MiB

// The head of a segment, in the mapped file itself. `committed` is stored after the bytes below it
// are in place: what it covers survives the death of the process.
struct SegmentHeader {
  std::uint64_t magic;
  std::uint64_t session;                 // publish session that filled it; 0: free
  std::uint64_t number;                  // of the segments of that session, from 0, no gaps
  std::atomic<std::uint32_t> committed;  // bytes of data() in use
  std::uint32_t reserved;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
inline constexpr std::size_t kSegmentHeaderSize = 64;
inline constexpr std::size_t kSegmentData = kSegmentSize - kSegmentHeaderSize;

// A writer's view of one segment. `shared`: lies in the journal and survives a kill -9; otherwise
// in private memory.
struct Segment {
  SegmentHeader* header = nullptr;
  std::uint8_t* data = nullptr;
  bool shared = false;
};

// The journal of one worker: files {runtime}/journal.{pid}.{n} on tmpfs ("extents"), mapped shared,
// each locked (see file_lock.hpp) while the worker lives. Space is reserved with posix_fallocate in
// a pool thread (a full tmpfs is ENOSPC there, never SIGBUS here) and handed out
// last-in-first-out, so that a recording touches few pages. The journals of all workers together
// keep within `percent` of the tmpfs.
//
// Event loop only. acquire(), release() and tick() make no system call; all that they may do is
// to post a job.
class Journal {
 public:
  // Reserves the first extent at once (a few ms): call before the event loop runs. When the tmpfs
  // or the budget has no room for it, the journal opens empty (reserved_segments() == 0) and asks
  // again later. `extent_segments`: of the smallest extent; for tests that open thousands.
  static Result<std::unique_ptr<Journal>> open(const std::string& directory, unsigned percent,
                                               Executor& executor,
                                               std::size_t extent_segments = kExtentSegments);
  ~Journal();  // leaves segments that are in use to whoever recovers them
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // A free segment, header filled, committed = 0; data == nullptr when none is reserved just now
  // (more is reserved in the background as long as the budget allows).
  Segment acquire(std::uint64_t session, std::uint64_t number) noexcept;
  void release(const Segment& segment) noexcept;

  // To be called about once a second, with the monotonic time: after a burst, gives extents back
  // to the tmpfs that nothing has needed for ten seconds, one a call.
  void tick(std::int64_t monotonic_ms) noexcept;

  [[nodiscard]] std::size_t reserved_segments() const;
  [[nodiscard]] std::size_t free_segments() const;

 private:
  struct Impl;
  explicit Journal(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // jobs that come back later look whether it is still there
};

// What a session left in the journals of dead workers (and of living ones, when `session` has just
// been let go of): its segments in order, copied out. Any thread; blocks for the copy only.
struct LeftSegment {
  std::uint64_t number = 0;
  Bytes data;  // the committed bytes
};
Result<std::vector<LeftSegment>> read_left_segments(const std::string& directory,
                                                    std::uint64_t session);
// Gives back the space of a session's left segments in journals that nobody holds; a living worker
// releases its own. Any thread.
Status release_left_segments(const std::string& directory, std::uint64_t session);
// Removes journal files that nobody holds, unless they have a segment of a session listed in
// `keep`. Any thread.
Status remove_dead_journals(const std::string& directory, std::span<const std::uint64_t> keep);

}  // namespace recording::runtime
