#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "media/key_frame.hpp"
#include "recorder/journal_record.hpp"
#include "runtime/journal.hpp"

namespace recording::recorder {

// Where segments come from and go back to: the journal, or private memory when it has none.
// Outlives every SegmentHold. Event loop only.
class SegmentPool {
 public:
  explicit SegmentPool(runtime::Journal* journal) : journal_(journal) {}

  runtime::Segment acquire(std::uint64_t session, std::uint64_t number);
  void release(const runtime::Segment& segment) noexcept;

  // The process is leaving: what is in use stays in the journal for whoever comes back to it.
  void abandon() noexcept { abandoned_ = true; }

 private:
  runtime::Journal* journal_;  // nullptr: private memory only
  bool abandoned_ = false;
};

// Keeps a segment until the last sample in it is safe elsewhere.
class SegmentHold {
 public:
  SegmentHold(SegmentPool& pool, const runtime::Segment& segment)
      : pool_(pool), segment_(segment) {}
  ~SegmentHold() { pool_.release(segment_); }
  SegmentHold(const SegmentHold&) = delete;
  SegmentHold& operator=(const SegmentHold&) = delete;
  [[nodiscard]] const runtime::Segment& segment() const { return segment_; }

 private:
  SegmentPool& pool_;
  runtime::Segment segment_;
};
using SegmentRef = std::shared_ptr<SegmentHold>;

// Records that lie one behind the other in one segment, which stays as long as this does.
struct RecordRange {
  SegmentRef segment;
  std::uint32_t begin = 0, end = 0;  // offsets into its data
  [[nodiscard]] ByteView bytes() const {
    return {segment->segment().data + begin, std::size_t{end} - begin};
  }
};

// The journal of one session: messages copied once, one behind the other, over as many segments as
// they need. What a message costs here is the memory it touches: that of a hundred streams is in no
// cache. So nothing but the record is written for it; where it lies is told by take(). Event loop
// only.
class SegmentChain {
 public:
  SegmentChain(SegmentPool& pool, std::uint64_t session) : pool_(pool), session_(session) {}

  // Copies one record. False: no memory; nothing was changed. Killed in the middle, the record is
  // not there as a whole.
  bool append(RecordHeader header, media::Pieces payload);
  // Where the records lie that were appended since the last call.
  std::vector<RecordRange> take();

  // True when the next append() of `size` bytes needs a new segment.
  [[nodiscard]] bool needs_segment(std::size_t size) const;
  // Segments of this session that are still held by somebody, this chain included.
  [[nodiscard]] std::size_t held_segments() const { return *held_; }
  [[nodiscard]] std::size_t private_segments() const { return *private_; }

 private:
  SegmentRef open_segment();
  bool append_in_parts(RecordHeader header, media::Pieces payload);

  runtime::Segment filling_;  // current_'s
  std::uint32_t used_ = 0;
  std::uint32_t taken_ = 0;  // of the segment being filled: what is in front was taken
  SegmentRef current_;
  std::vector<RecordRange> full_;  // not taken yet, in segments before the current one
  SegmentPool& pool_;
  std::uint64_t session_;
  std::uint64_t next_number_ = 0;
  std::shared_ptr<std::size_t> held_ = std::make_shared<std::size_t>(0);
  std::shared_ptr<std::size_t> private_ = std::make_shared<std::size_t>(0);
};

}  // namespace recording::recorder
