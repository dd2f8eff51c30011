#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "recorder/batch.hpp"
#include "recorder/track_intake.hpp"

namespace recording::recorder {

// Gathers the samples of one session into batches, each of which becomes a fragment. Event loop
// only.
class Gatherer {
 public:
  Gatherer(SegmentPool& pool, std::uint64_t session, std::int64_t fragment_ms,
           std::size_t most_segments)
      : chain_(pool, session), fragment_ms_(fragment_ms), most_segments_(most_segments) {}

  // True when `sample` must not join the batch being gathered: its time is up, a key frame begins
  // (so that every group of pictures begins a fragment), or its configuration is another.
  [[nodiscard]] bool must_cut(media::TrackKind kind, const Intake& sample,
                              const TrackIntake& track) const;

  // Takes what was gathered. `next`: the sample that did not join, if that is why.
  std::unique_ptr<Batch> cut(const PerKind<TrackIntake>& tracks,
                             std::optional<media::TrackKind> next_kind, std::int64_t next_dts);

  // Copies a sample into the journal. False: recording_buffer is used up, or memory is.
  bool add(media::TrackKind kind, const Intake& sample, const TrackIntake& track,
           const PerKind<TrackIntake>& tracks, std::int64_t now_ms);

  [[nodiscard]] bool empty() const { return batch_ == nullptr; }
  [[nodiscard]] const Batch* gathering() const { return batch_.get(); }
  void forget();
  void set_limits(std::int64_t fragment_ms, std::size_t most_segments) {
    fragment_ms_ = fragment_ms;
    most_segments_ = most_segments;
  }
  // Less than three quarters of recording_buffer is in use.
  [[nodiscard]] bool has_room() const { return chain_.held_segments() * 4 < most_segments_ * 3; }
  [[nodiscard]] std::size_t private_segments() const { return chain_.private_segments(); }

 private:
  bool open_batch(const PerKind<TrackIntake>& tracks);
  bool journal(RecordType type, media::TrackKind kind, const TrackIntake& track, ByteView payload);
  bool journal_config(media::TrackKind kind, const TrackIntake& track);
  bool journal_repair(media::TrackKind kind, const Intake& sample, const TrackIntake& track);
  bool has_budget(std::size_t size) const;

  SegmentChain chain_;
  std::int64_t fragment_ms_;
  std::size_t most_segments_;
  std::unique_ptr<Batch> batch_;
};

}  // namespace recording::recorder
