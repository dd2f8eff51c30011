#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "mp4/committed.hpp"
#include "mp4/head.hpp"
#include "mp4/media_index.hpp"
#include "storage/file.hpp"

namespace recording::mp4 {

// All indexes of a file in order: those in boxes, then the newest one, which is in memory. Holds
// one box at a time, and 32 bytes for each (8 KB for 4 h). Pool threads.
class IndexWalk {
 public:
  class Visitor {
   public:
    virtual ~Visitor() = default;
    virtual Status on_note(const Note& note) = 0;
    virtual Status on_run(const IndexedRun& run) = 0;
  };

  // `last`: offset of the last index box, 0 for none; `limit`: where the boxes end at the latest;
  // `newest`: payload of the index in memory, may be empty.
  static Result<IndexWalk> open(storage::File& file, std::uint64_t last, std::uint64_t limit,
                                Bytes newest);
  // Of a file that somebody else writes, or has written. Finished, its tail says where the indexes
  // are. Growing, its boxes are walked from the index that `committed` names, else from its head,
  // and what came behind its last index is put into the newest one.
  static Result<IndexWalk> open(storage::File& file, const Head& head, const Committed& committed);

  [[nodiscard]] std::size_t size() const { return boxes_.size() + (newest_.empty() ? 0 : 1); }
  [[nodiscard]] std::uint64_t limit() const { return limit_; }
  // Index `i` tells of fragments in the file from here to there.
  [[nodiscard]] std::uint64_t begin_offset(std::size_t i) const;
  [[nodiscard]] std::uint64_t end_offset(std::size_t i) const;
  // No sample of a track in index `i` has a dts below or from there on. As wide as can be where
  // that is not known.
  [[nodiscard]] std::int64_t begin_dts(std::size_t i, media::TrackKind kind) const;
  [[nodiscard]] std::int64_t end_dts(std::size_t i, media::TrackKind kind) const;

  // What index `i` tells. Notes come before the fragments behind them.
  Status visit(std::size_t i, Visitor& visitor);
  // The same without its fragments, of which nothing is read.
  Status visit_notes(std::size_t i, Visitor& visitor);
  Status visit_all(Visitor& visitor);

 private:
  struct Box {
    std::uint64_t offset;
    PerTrack<std::int64_t> dts;
    std::uint32_t notes;
  };

  IndexWalk(storage::File& file, std::uint64_t limit) : file_(&file), limit_(limit) {}
  Status find_boxes(std::uint64_t last);
  Status visit_payload(ByteView payload, Visitor& visitor);

  storage::File* file_;
  std::uint64_t limit_;
  std::vector<Box> boxes_;
  Bytes newest_;
  // Kept for their memory only.
  Bytes buffer_;
  IndexReader::Fragment fragment_;
};

}  // namespace recording::mp4
