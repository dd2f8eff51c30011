#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "mp4/track_table.hpp"

namespace recording::mp4 {

// The compact index: all that finish() and readers need of about a minute of fragments, and where
// the index of the minute before is. Encoding: docs/file-format.md, "Index box".

enum class NoteKind : std::uint8_t { kMark = 1, kEpoch = 2, kRepairs = 3 };
// Where in the file such a box is.
struct Note {
  NoteKind kind = NoteKind::kMark;
  std::uint64_t offset = 0;
};

// What an index box begins with.
struct IndexHeader {
  std::uint64_t previous = 0;   // offset of the index box before, 0: none
  std::uint64_t data_base = 0;  // offsets are told from here on
  PerTrack<std::int64_t> dts_base{};
  std::uint32_t first_sequence = 1;
  std::uint32_t fragments = 0;
  std::uint32_t notes = 0;
};
inline constexpr std::size_t kIndexHeaderSize = 8 + 8 + 16 + 4 + 4 + 4;
inline constexpr std::size_t kNoteSize = 1 + 8;  // kind and offset; the notes come next

// Gathers what the next index box will hold.
class IndexBuilder {
 public:
  void add_note(Note note);
  // One fragment; its runs' bytes lie one after the other from data_offset on.
  void add_fragment(std::uint64_t data_offset, std::span<const RunView> runs);
  // The box with payload() is in the file at `offset`: begins the next one.
  void restart(std::uint64_t offset);

  [[nodiscard]] Bytes payload() const;
  [[nodiscard]] std::size_t size() const { return entries_.size() + notes_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::uint32_t fragments() const { return header_.fragments; }
  [[nodiscard]] std::uint64_t previous() const { return header_.previous; }

 private:
  IndexHeader header_;
  Bytes notes_, entries_;
  std::uint64_t data_end_ = 0;
  PerTrack<std::int64_t> next_dts_{};
};

// A fragment as an index tells it. Its vectors are used again and again.
struct IndexedRun {
  media::TrackKind kind = media::TrackKind::kVideo;
  std::uint64_t offset = 0;  // of its first byte in the file
  std::vector<Sample> samples;
  std::uint32_t last_duration = 0;
};

// Takes the payload of an index box apart. Everything is checked: kCorrupt, never a wild number.
class IndexReader {
 public:
  static Result<IndexReader> open(ByteView payload);
  static Result<IndexHeader> read_header(ByteView payload);

  [[nodiscard]] const IndexHeader& header() const { return header_; }
  [[nodiscard]] const std::vector<Note>& notes() const { return notes_; }
  // The next fragment's runs (`count` of them are valid); count 0 at the end.
  struct Fragment {
    PerTrack<IndexedRun> runs;
    std::size_t count = 0;
  };
  Status next(Fragment& fragment);

 private:
  IndexHeader header_;
  std::vector<Note> notes_;
  ByteView rest_;
  std::uint32_t fragments_left_ = 0;
  std::uint64_t data_end_ = 0;
  PerTrack<std::int64_t> next_dts_{};
};

}  // namespace recording::mp4
