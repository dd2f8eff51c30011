// The way of a message through a session: taken apart, copied into the journal, cut into batches.
#include <algorithm>

#include "base/strings.hpp"
#include "recorder/message_log.hpp"
#include "recorder/session.hpp"
#include "recorder/write_rounds.hpp"

namespace recording::recorder {
namespace {

// A recording without preroll waits for a key frame no longer than this; streams with intra refresh
// never send one.
constexpr std::int64_t kLongestKeyWaitMs = 10000;
// How often what others may read of a session is written: a cache line of the live state for each
// of hundreds of streams is too much for every message.
constexpr std::int64_t kGaugeMs = 100;
// Media that come this long without a codec configuration will hardly get one.
constexpr std::int64_t kConfigPatienceMs = 2000;

}  // namespace

bool Session::wanted_at_all() const {
  return publisher_.rules.recordable != 0 &&
         (mode_ != Mode::kIdle || publisher_.rules.preroll != 0);
}

void Session::on_message(media::TrackKind kind, std::uint32_t timestamp_ms, media::Pieces message) {
  const std::int64_t now = env_.clock.monotonic_ms();
  if (first_message_ms_ == 0) {
    first_message_ms_ = now;
  }
  last_message_ms_ = now;
  ++messages_in_;
  for (const iovec& piece : message) {
    bytes_in_ += static_cast<std::int64_t>(piece.iov_len);
  }
  if (now - gauges_ms_ >= kGaugeMs) {
    write_gauges();
    env_.rounds.tick();
  }
  take(source(), kind, timestamp_ms, now, message);
  if (facts_changed_) {
    publish_facts();
  }
  if (!unrecordable_noted_ && now - first_message_ms_ > kConfigPatienceMs) {
    note_unrecordable();
  }
}

void Session::on_rendition(media::TrackKind kind, std::uint32_t timestamp_ms,
                           media::Pieces message) {
  if (takes_rendition() && !rendition_over_) {
    take(*run_, kind, timestamp_ms, env_.clock.monotonic_ms(), message);
  }
}

// Of the source, when something else is recorded, there are only the facts to be told.
void Session::take(Run& run, media::TrackKind kind, std::uint32_t timestamp_ms, std::int64_t now_ms,
                   media::Pieces message) {
  const bool recorded = &run == run_.get();
  if (recorded) {
    last_media_ms_ = now_ms;
    if (fell_silent_) {
      fell_silent_ = false;
      begin_again();
    }
    RECORDING_LOG_MESSAGE(run.id, kind, timestamp_ms, message);
  }
  TrackIntake& track = run.tracks[index_of(kind)];
  const media::TrackConfig* before = track.config().get();
  const Intake intake = track.take(timestamp_ms, now_ms, message);
  if (track.config().get() != before) {
    facts_changed_ = facts_changed_ || !takes_rendition() || !recorded;
    if (before == nullptr && recorded) {
      decide();
    }
  }
  if (!recorded) {
    return;
  }
  if (intake.note != nullptr) {
    env_.log.write(LogLevel::kWarn,
                   std::string(kind == media::TrackKind::kVideo ? "video" : "audio") + " of " +
                       to_valid_utf8(publisher_.app) + "/" + to_valid_utf8(publisher_.name) + ": " +
                       intake.note);
  }
  switch (intake.what) {
    case Intake::What::kSample:
      last_ms_ = intake.ms;
      if (intake.repair.kind != media::RepairKind::kNone) {
        ++timestamp_repairs_;
        env_.state.metrics().timestamp_repairs[static_cast<std::size_t>(intake.repair.kind)].add();
      }
      if (wanted_at_all()) {
        take_sample(kind, intake, now_ms);
      }
      track.count_sample();
      break;
    case Intake::What::kRejected:
      if (intake.why != nullptr) {
        env_.log.write(LogLevel::kWarn,
                       std::string(kind == media::TrackKind::kVideo ? "video" : "audio") + " of " +
                           to_valid_utf8(publisher_.app) + "/" + to_valid_utf8(publisher_.name) +
                           " is not recorded: " + intake.why);
      }
      break;
    default:
      break;
  }
}

void Session::write_gauges() {
  if (stream_ == runtime::kNone || left_) {
    return;
  }
  gauges_ms_ = last_message_ms_;
  runtime::StreamRecord* stream = env_.state.stream_gauges(stream_);
  stream->last_message_ms.set(last_message_ms_);
  stream->messages_in.set(messages_in_);
  stream->bytes_in.set(bytes_in_);
  stream->timestamp_repairs.set(timestamp_repairs_);
  if (mode_ != Mode::kRecording || !recording_from_known_) {
    return;
  }
  runtime::RecordingRecord* recording = env_.state.recording_gauges(recording_->index());
  recording->duration_ms.set(
      std::max(recording->duration_ms.get(), recording_base_ms_ + last_ms_ - recording_from_ms_));
  const auto unsafe =
      static_cast<std::int64_t>(run_->gatherer.private_segments() * runtime::kSegmentSize);
  if (unsafe != 0 && recording->unsafe_bytes.get() == 0) {
    env_.log.write(LogLevel::kWarn,
                   "the journal is full: what " + to_valid_utf8(publisher_.app) + "/" +
                       to_valid_utf8(publisher_.name) +
                       " sends is held in private memory for now, which is not crash-safe; "
                       "raise journal, or see why the disk is slow");
  }
  recording->unsafe_bytes.set(unsafe);
}

void Session::note_unrecordable() {
  unrecordable_noted_ = true;
  if (takes_rendition() || run_->tracks[0].config() != nullptr ||
      run_->tracks[1].config() != nullptr) {
    return;
  }
  env_.log.write(LogLevel::kError,
                 to_valid_utf8(publisher_.app) + "/" + to_valid_utf8(publisher_.name) +
                     " sends media without a codec configuration (sequence header) that can be "
                     "recorded: nothing of it can be saved until one comes; reconnect the encoder");
  publish_facts();
}

void Session::note_passed_over() {
  PassedOver all;
  for (const TrackIntake& track : source().tracks) {
    all.packets += track.passed_over().packets;
    all.tracks += track.passed_over().tracks;
  }
  if (all.packets + all.tracks == 0) {
    return;
  }
  env_.log.write(LogLevel::kNotice,
                 to_valid_utf8(publisher_.app) + "/" + to_valid_utf8(publisher_.name) + ": " +
                     std::to_string(all.packets) + " packets of unknown types and " +
                     std::to_string(all.tracks) + " of other tracks were passed over");
}

void Session::take_sample(media::TrackKind kind, const Intake& sample, std::int64_t now_ms) {
  const TrackIntake& track = run_->tracks[index_of(kind)];
  const bool has_video = run_->tracks[0].config() != nullptr;
  const bool key = has_video ? kind == media::TrackKind::kVideo && sample.sample.key
                             : kind == media::TrackKind::kAudio;
  if (dropping_) {
    if (!key || !run_->gatherer.has_room()) {
      return;
    }
    dropping_ = false;
    Seam seam;
    seam.kind = mp4::MarkKind::kOverload;
    seam.session = run_->id;
    seam.fence = fence_;
    seam.began_wall_ms = dropped_wall_ms_;
    seam.ended_wall_ms = env_.clock.wall_ms();
    seam.lost_ms = std::max<std::int64_t>(sample.ms - dropped_from_ms_, 0);
    seam.reason = "overload";
    if (mode_ == Mode::kRecording) {
      runtime::RecordingRecord* gauges = env_.state.recording_gauges(recording_->index());
      gauges->lost_ms.add(seam.lost_ms);
      if (!seam_) {
        seam_ = std::move(seam);
      }
    }
  }
  if (waiting_for_key_) {
    if (!key && now_ms - recording_from_ms_ < kLongestKeyWaitMs) {
      return;
    }
    waiting_for_key_ = false;
    group_cut_ = false;
  }
  if (mode_ == Mode::kIdle) {
    if (key) {  // of audio alone every packet is one
      // A new group of pictures: the one before is no longer what a manual start reaches back to.
      group_cut_ = false;
      forget_held();
    } else if (group_cut_ && has_video) {
      return;  // nobody could begin with it
    }
  }
  const bool too_long =
      !left_ && key && recording_from_known_ && publisher_.rules.max_duration_ms > 0 &&
      recording_base_ms_ + sample.ms - recording_from_ms_ >= publisher_.rules.max_duration_ms;
  const media::Codec codec = recorded_codec_[index_of(kind)];
  const bool other_codec = !left_ && codec != media::Codec::kNone && codec != track.config()->codec;
  if (mode_ == Mode::kRecording && (too_long || other_codec)) {
    batch_ready(run_->gatherer.cut(run_->tracks, kind, sample.sample.dts));
    divide(sample.ms, too_long ? "divided" : "codec_changed", next_ordinals());
  }
  if (mode_ == Mode::kRecording) {
    note_codec(kind, track.config()->codec);
  }
  if (run_->gatherer.must_cut(kind, sample, track)) {
    batch_ready(run_->gatherer.cut(run_->tracks, kind, sample.sample.dts));
  }
  place_sample(kind, sample, now_ms);
}

void Session::place_sample(media::TrackKind kind, const Intake& sample, std::int64_t now_ms) {
  const TrackIntake& track = run_->tracks[index_of(kind)];
  while (!run_->gatherer.add(kind, sample, track, run_->tracks, now_ms)) {
    if (mode_ == Mode::kRecording && !group_.empty()) {
      group_.clear();
      continue;
    }
    if (mode_ == Mode::kRecording) {
      overloaded(sample);
      return;
    }
    // Nobody needs what is held for certain.
    const bool idle = mode_ == Mode::kIdle;
    if (idle || held_.empty()) {
      forget_held();
      group_cut_ = true;
      return;
    }
    held_.pop_front();
    group_cut_ = true;
  }
  if (mode_ == Mode::kRecording && !recording_from_known_) {
    recording_from_known_ = true;
    recording_from_ms_ = sample.ms;
  }
}

void Session::forget_held() {
  held_.clear();
  run_->gatherer.forget();
}

void Session::remember(const Batch& batch) {
  if (publisher_.rules.preroll == 0 || recording_->identity().automatic) {
    return;
  }
  if (batch.begins_with_key) {
    group_.clear();
  } else if (group_.empty()) {
    return;
  }
  group_.push_back(std::make_unique<Batch>(batch));
}

void Session::overloaded(const Intake& sample) {
  batch_ready(run_->gatherer.cut(run_->tracks, std::nullopt, 0));
  dropping_ = true;
  dropped_from_ms_ = sample.ms;
  dropped_wall_ms_ = env_.clock.wall_ms();
  env_.log.write(LogLevel::kError,
                 "recording_buffer of " + to_valid_utf8(publisher_.app) + "/" +
                     to_valid_utf8(publisher_.name) +
                     " is used up because the disk is too slow or full: samples are dropped until "
                     "it catches up");
}

void Session::batch_ready(std::unique_ptr<Batch> batch) {
  if (batch == nullptr || batch->empty()) {
    return;
  }
  if (mode_ != Mode::kRecording) {
    held_.push_back(std::move(batch));
    return;
  }
  remember(*batch);
  if (seam_) {
    batch->seam = std::move(seam_);
    seam_.reset();
  }
  recording_->add(std::move(batch));
}

}  // namespace recording::recorder
