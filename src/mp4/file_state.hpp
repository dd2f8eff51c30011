#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "mp4/media_index.hpp"
#include "mp4/private_boxes.hpp"
#include "mp4/sample.hpp"

namespace recording::mp4 {

// Where a track of the file stands.
struct TrackState {
  TrackSetup setup;     // the current configuration
  TrackSetup at_first;  // the one it came with: sample entry 1 of the head
  std::int64_t last_dts = -1;
  std::int64_t end_dts = 0, end_pts = 0;
  std::uint64_t samples_since_mark = 0;
};

// All that must be known of a file to go on writing it. What is written and what a scan finds go
// through the same on_...() calls, in the order of the file: so reopen() has the state that the
// writer had.
class FileState {
 public:
  Identity identity;

  void on_epoch(const Epoch& epoch, std::uint64_t offset);
  void on_mark(const PlacedMark& mark, std::uint64_t offset);
  void on_index(std::uint64_t offset);
  // Of the fragment that comes next.
  void on_repairs(std::uint64_t offset);
  void on_fragment(std::uint64_t offset, std::uint64_t data_offset, std::span<const RunView> runs);

  // Nothing, or why these runs cannot be the next ones.
  [[nodiscard]] const char* refuse(std::span<const RunView> runs) const;
  // Whether it is time for an index box: a minute of media, or much to tell.
  [[nodiscard]] bool index_due() const;

  [[nodiscard]] const std::optional<TrackState>& track(media::TrackKind kind) const {
    return tracks_[slot(kind)];
  }
  [[nodiscard]] TrackSetups setups() const;       // current
  [[nodiscard]] TrackSetups head_setups() const;  // as the head has them
  [[nodiscard]] PerTrack<std::uint32_t> trex_durations() const;
  [[nodiscard]] const std::optional<PlacedMark>& last_mark() const { return last_mark_; }
  [[nodiscard]] std::uint32_t epochs() const { return epochs_; }
  [[nodiscard]] std::uint32_t next_sequence() const { return next_sequence_; }
  [[nodiscard]] std::int64_t duration_ms() const;
  // Without what is missing in front of its marks.
  [[nodiscard]] std::int64_t media_ms() const { return duration_ms() - missing_ms_; }
  [[nodiscard]] const IndexBuilder& index() const { return index_; }
  // The fragments since the last index box: at most a minute of them.
  struct FragmentPlace {
    std::uint64_t begin = 0, moof = 0;  // a box of repairs may be in between
  };
  [[nodiscard]] const std::vector<FragmentPlace>& recent_fragments() const { return recent_; }

 private:
  void note_missing(std::span<const RunView> runs);

  PerTrack<std::optional<TrackState>> tracks_;
  std::optional<PlacedMark> last_mark_;
  IndexBuilder index_;
  std::vector<FragmentPlace> recent_;
  std::optional<std::uint64_t> repairs_;         // where those of the next fragment are
  std::int64_t indexed_ms_ = 0;                  // duration at the last index box
  std::optional<std::int64_t> marked_ms_;        // duration at the last mark
  std::optional<std::int64_t> missing_here_ms_;  // behind it, as far as is known
  std::int64_t missing_ms_ = 0;
  std::uint32_t epochs_ = 0;
  std::uint32_t next_sequence_ = 1;
};

}  // namespace recording::mp4
