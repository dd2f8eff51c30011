#include "recorder/gatherer.hpp"

namespace recording::recorder {
namespace {

// A fragment larger than this is cut before its time: a gathered write stays short, and a stream of
// extreme bitrate cannot fill recording_buffer within one fragment.
constexpr std::uint64_t kLargestBatch = 8 << 20;
// A run has a most, too (mp4/track_table.hpp).
constexpr std::uint32_t kMostSamples = 32768;

RecordHeader header_for(media::TrackKind kind, const Intake& intake, const TrackIntake& track) {
  RecordHeader header;
  header.total = intake.sample.size;
  header.type = RecordType::kSample;
  header.kind = kind;
  header.flags = intake.sample.key ? kFlagKey : std::uint8_t{0};
  header.cts = intake.sample.cts;
  header.dts = intake.sample.dts;
  header.duration = track.expected_duration();
  header.timescale = track.config()->timescale;
  header.ordinal = track.next_ordinal();
  return header;
}

}  // namespace

bool Gatherer::must_cut(media::TrackKind kind, const Intake& sample,
                        const TrackIntake& track) const {
  if (batch_ == nullptr || batch_->empty()) {
    return false;
  }
  const ConfigRef& config = batch_->config[index_of(kind)];
  if (config != nullptr && config != track.config() && batch_->count[index_of(kind)] != 0) {
    return true;
  }
  if (batch_->bytes + sample.sample.size > kLargestBatch ||
      batch_->count[index_of(kind)] >= kMostSamples) {
    return true;
  }
  const std::int64_t gathered_ms = sample.ms - batch_->first_ms;
  if (kind == media::TrackKind::kVideo && sample.sample.key) {
    // A quarter: streams of key frames only must not make a fragment of each.
    return gathered_ms * 4 >= fragment_ms_;
  }
  // Audio alone cuts only where no video flows: a cut belongs in front of a picture.
  if (kind == media::TrackKind::kAudio && batch_->count[0] != 0) {
    return gathered_ms >= 2 * fragment_ms_;
  }
  return gathered_ms >= fragment_ms_;
}

std::unique_ptr<Batch> Gatherer::cut(const PerKind<TrackIntake>& tracks,
                                     std::optional<media::TrackKind> next_kind,
                                     std::int64_t next_dts) {
  if (batch_ == nullptr) {
    return nullptr;
  }
  for (const media::TrackKind kind : kBothKinds) {
    const std::size_t i = index_of(kind);
    if (batch_->count[i] == 0) {
      continue;
    }
    std::uint32_t duration = tracks[i].expected_duration();
    if (next_kind == kind && tracks[i].config() == batch_->config[i]) {
      const std::int64_t step = next_dts - batch_->last_dts[i];
      if (step > 0 && step <= std::int64_t{0xffffffff}) {
        duration = static_cast<std::uint32_t>(step);
      }
    }
    batch_->last_duration[i] = duration;
  }
  batch_->records = chain_.take();
  return std::move(batch_);
}

bool Gatherer::has_budget(std::size_t size) const {
  const std::size_t more = chain_.needs_segment(size) ? size / runtime::kSegmentData + 1 : 0;
  return chain_.held_segments() + more <= most_segments_;
}

// What belongs to the sample that comes next.
bool Gatherer::journal(RecordType type, media::TrackKind kind, const TrackIntake& track,
                       ByteView payload) {
  RecordHeader header;
  header.type = type;
  header.kind = kind;
  header.total = static_cast<std::uint32_t>(payload.size());
  header.ordinal = track.next_ordinal();
  const iovec piece{const_cast<std::uint8_t*>(payload.data()), payload.size()};
  return has_budget(payload.size()) && chain_.append(header, {&piece, 1});
}

// The configurations lead every batch in the journal, so that a batch found there after a crash
// needs nothing that came before it.
bool Gatherer::journal_config(media::TrackKind kind, const TrackIntake& track) {
  if (!journal(RecordType::kConfig, kind, track, media::encode(*track.config()))) {
    return false;
  }
  batch_->config[index_of(kind)] = track.config();
  return true;
}

bool Gatherer::open_batch(const PerKind<TrackIntake>& tracks) {
  (void)chain_.take();  // of a batch that was not wanted
  batch_ = std::make_unique<Batch>();
  for (const media::TrackKind kind : kBothKinds) {
    const TrackIntake& track = tracks[index_of(kind)];
    batch_->first_ordinal[index_of(kind)] = track.next_ordinal();
    if (track.config() != nullptr && !journal_config(kind, track)) {
      return false;
    }
  }
  return true;
}

bool Gatherer::journal_repair(media::TrackKind kind, const Intake& sample,
                              const TrackIntake& track) {
  return sample.repair.kind == media::RepairKind::kNone ||
         journal(RecordType::kRepair, kind, track,
                 {reinterpret_cast<const std::uint8_t*>(&sample.repair), sizeof(sample.repair)});
}

bool Gatherer::add(media::TrackKind kind, const Intake& sample, const TrackIntake& track,
                   const PerKind<TrackIntake>& tracks, std::int64_t now_ms) {
  const bool opened = batch_ == nullptr;
  const std::size_t i = index_of(kind);
  // Its first configuration may come after the batch was opened.
  if ((opened && !open_batch(tracks)) ||
      (batch_->config[i] != track.config() && !journal_config(kind, track)) ||
      !journal_repair(kind, sample, track) || !has_budget(sample.sample.size) ||
      !chain_.append(header_for(kind, sample, track), sample.pieces)) {
    if (opened) {
      forget();
    }
    return false;
  }
  Batch& batch = *batch_;
  if (batch.empty()) {
    batch.first_ms = sample.ms;
    batch.arrived_ms = now_ms;
    batch.begins_with_key = kind == media::TrackKind::kVideo && sample.sample.key;
  }
  if (sample.repair.kind != media::RepairKind::kNone) {
    media::note_repair(batch.repairs, sample.repair);
  }
  batch.last_ms = sample.ms;
  ++batch.count[i];
  batch.last_dts[i] = sample.sample.dts;
  batch.bytes += sample.sample.size;
  return true;
}

void Gatherer::forget() {
  batch_.reset();
  (void)chain_.take();
}

}  // namespace recording::recorder
