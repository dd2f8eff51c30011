#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "runtime/journal.hpp"

// The files of journals. Private to this layer.
namespace recording::runtime {

inline constexpr std::uint64_t kSegmentMagic = 0x3130304745534352;  // "RCSEG001"
inline constexpr std::size_t kMinExtentSegments = 4;
inline constexpr std::size_t kMaxExtentSegments = 256;

// One file of a journal, reserved, mapped, locked, its pages present. The free list is the event
// loop's; making and destroying one is slow and belongs into a thread.
class Extent {
 public:
  // As many segments as there is room for, from kMinExtentSegments to `segments`. kNoSpace: less
  // than that, on the tmpfs or in the budget.
  static Result<std::unique_ptr<Extent>> make(const std::string& directory, unsigned percent,
                                              std::size_t segments);
  ~Extent();  // removes the file unless a segment is in use
  Extent(const Extent&) = delete;
  Extent& operator=(const Extent&) = delete;

  [[nodiscard]] std::size_t segments() const { return segments_; }
  [[nodiscard]] std::size_t free_segments() const { return free_.size(); }
  [[nodiscard]] bool unused() const { return free_.size() == segments_; }
  [[nodiscard]] bool contains(const SegmentHeader* header) const;

  SegmentHeader* take() noexcept;  // nullptr: none is free
  void give_back(SegmentHeader* header) noexcept;

 private:
  Extent(UniqueFd fd, std::string path, std::uint8_t* base, std::size_t segments);

  UniqueFd fd_;  // holds the lock
  std::string path_;
  std::uint8_t* base_;
  std::size_t segments_;
  std::vector<std::uint32_t> free_;
};

// Calls `visit` for each journal file in the directory, with a descriptor opened with `flags`
// (O_RDONLY, O_RDWR). Anything else that lies there is passed over.
struct JournalFile {
  std::string path;
  UniqueFd fd;
  std::size_t segments = 0;  // whole ones
  std::uint64_t allocated_bytes = 0;
};
Status for_each_journal_file(const std::string& directory, int flags,
                             const std::function<void(JournalFile&)>& visit);

// Held while files of journals are made, counted or removed: a file that is not locked yet is not
// a dead one, and two workers do not spend the same room.
Result<UniqueFd> lock_journal_space(const std::string& directory);

}  // namespace recording::runtime
