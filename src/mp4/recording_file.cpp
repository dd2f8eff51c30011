#include "mp4/recording_file.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "mp4/append_plan.hpp"
#include "mp4/file_state.hpp"
#include "mp4/fragment_header.hpp"
#include "mp4/head.hpp"
#include "mp4/index_walk.hpp"
#include "mp4/moov_writer.hpp"
#include "mp4/repair.hpp"
#include "mp4/scanner.hpp"

namespace recording::mp4 {
namespace {

using media::TrackKind;

constexpr std::size_t kMaxIdentityText = 4096;

Error invalid(const char* what) { return Error{Errc::kInvalidArgument, what}; }

class RecordingFileImpl final : public RecordingFile {
 public:
  RecordingFileImpl(std::unique_ptr<storage::File> file, Identity identity)
      : file_(std::move(file)) {
    state_.identity = std::move(identity);
  }

  RecordingFileImpl(std::unique_ptr<storage::File> file, Scan scan, const Reopening& how)
      : file_(std::move(file)) {
    take_over(std::move(scan));
    synced_end_ = std::min(synced_end_, how.synced);
    suspect_ = how.suspect;
  }

  Status append(const Fragment& fragment) override;
  void begin_sync() override { file_->begin_sync(); }
  Status sync() override;
  Status rewind() override;
  Status finish() override;

  [[nodiscard]] bool finished() const override { return finished_; }
  [[nodiscard]] std::uint64_t synced_length() const override { return synced_end_; }
  [[nodiscard]] bool suspect() const override { return suspect_; }
  [[nodiscard]] const Identity& identity() const override { return state_.identity; }
  [[nodiscard]] std::uint64_t length() const override { return length_; }
  [[nodiscard]] std::uint64_t last_index() const override { return state_.index().previous(); }
  [[nodiscard]] std::int64_t duration_ms() const override { return state_.duration_ms(); }
  [[nodiscard]] std::int64_t media_ms() const override { return state_.media_ms(); }
  [[nodiscard]] const media::TrackConfig* config(TrackKind kind) const override {
    const auto& track = state_.track(kind);
    return track ? &track->setup.config : nullptr;
  }
  [[nodiscard]] std::uint32_t timescale(TrackKind kind) const override {
    const auto& track = state_.track(kind);
    return track ? track->setup.timescale : 0;
  }
  [[nodiscard]] std::int64_t end_dts(TrackKind kind) const override {
    const auto& track = state_.track(kind);
    return track ? track->end_dts : 0;
  }
  [[nodiscard]] std::int64_t end_pts(TrackKind kind) const override {
    const auto& track = state_.track(kind);
    return track ? track->end_pts : 0;
  }
  [[nodiscard]] std::uint64_t samples_since_mark(TrackKind kind) const override {
    const auto& track = state_.track(kind);
    return track ? track->samples_since_mark : 0;
  }
  [[nodiscard]] const Mark& last_mark() const override {
    static const Mark kNone;
    return state_.last_mark() ? state_.last_mark()->mark : kNone;
  }

 private:
  // Where the parts of one gathered write go.
  struct Written {
    std::optional<Epoch> epoch;
    std::optional<PlacedMark> mark;
    std::uint64_t index_at = 0, epoch_at = 0, mark_at = 0, repairs_at = 0, ahead_at = 0;
    std::uint64_t ahead_media_at = 0, moof_at = 0, media_at = 0, end = 0;
    bool index = false, repairs = false;
  };

  [[nodiscard]] bool is_empty() const { return head_size_ == 0; }
  void take_over(Scan scan);
  Status force();
  Status write_again(std::uint64_t at, std::uint64_t end);
  Status write_suspect_again();
  Status drop_leftover();
  Status extend_head(const AppendPlan& plan);
  Result<Bytes> first_head(const AppendPlan& plan) const;
  Written build(const AppendPlan& plan, const Fragment& fragment);
  Status write_out(const AppendPlan& plan);
  void commit(const AppendPlan& plan, Written& written);
  Status write_final_moov();
  Status commit_placeholder();

  std::unique_ptr<storage::File> file_;
  FileState state_;
  Bytes head_init_;              // ftyp and moov that the head has
  std::uint32_t head_size_ = 0;  // 0: nothing is in the file
  std::uint64_t placeholder_ = 0;
  std::uint64_t end_ = 0;         // where the next write goes
  std::uint64_t synced_end_ = 0;  // what was so when a sync succeeded last
  std::uint64_t length_ = 0;      // end of the last whole fragment
  std::uint64_t final_moov_ = 0;  // offset, once it is durable
  std::uint64_t final_size_ = 0;  // of the file with it
  bool suspect_ = false;          // a sync failed: what is behind synced_end_ may be lost
  bool leftover_ = false;         // a write failed: there may be bytes behind end_
  bool finished_ = false;
  // Kept for their memory only.
  Bytes header_;
  std::vector<iovec> pieces_;
};

void RecordingFileImpl::take_over(Scan scan) {
  state_ = std::move(scan.state);
  head_init_ = std::move(scan.init);
  head_size_ = scan.head.size;
  placeholder_ = scan.head.placeholder;
  end_ = scan.end;
  synced_end_ = scan.end;
  length_ = scan.head.finished ? scan.head.file_size : scan.media_end;
  final_moov_ = scan.head.final_moov;
  finished_ = scan.head.finished;
  leftover_ = false;
  suspect_ = false;
}

// Makes durable what is in the file, and what was lost by an earlier try.
Status RecordingFileImpl::force() {
  if (suspect_) {
    RECORDING_TRY(write_suspect_again());
  }
  suspect_ = true;
  RECORDING_TRY(file_->sync());
  suspect_ = false;
  return ok();
}

// What the kernel has of [at, end) into the same place, as far as the file goes.
Status RecordingFileImpl::write_again(std::uint64_t at, std::uint64_t end) {
  Bytes block(1 << 20);
  while (at < end) {
    auto got = file_->read_at(std::span(block).first(static_cast<std::size_t>(
                                  std::min<std::uint64_t>(end - at, 1 << 20))),
                              at);
    if (!got || got.value() == 0) {
      return got ? ok() : Status(std::move(got).error());
    }
    const iovec piece{block.data(), got.value()};
    RECORDING_TRY(file_->write_at({&piece, 1}, at));
    at += got.value();
  }
  return ok();
}

// Everything that is not on the disk for sure: the head is what is written in place.
Status RecordingFileImpl::write_suspect_again() {
  RECORDING_TRY(write_again(0, head_size_));
  RECORDING_TRY(write_again(std::max<std::uint64_t>(synced_end_, head_size_),
                            std::numeric_limits<std::uint64_t>::max()));
  // Of pages that were let go since, it read what the disk has.
  auto found = is_empty() ? Result<Scan>(Scan{}) : scan(*file_, ~std::uint64_t{0});
  if (!found && found.error().code != Errc::kCorrupt) {
    return std::move(found).error();
  }
  if (!found || found.value().end < end_) {
    return Error{Errc::kCorrupt, "the disk lost what was written"};
  }
  return ok();
}

Status RecordingFileImpl::sync() {
  RECORDING_TRY(force());
  synced_end_ = end_;
  return ok();
}

Status RecordingFileImpl::rewind() {
  RECORDING_TRY(file_->truncate(synced_end_));
  if (synced_end_ == 0) {
    Scan nothing;
    nothing.state.identity = std::move(state_.identity);
    take_over(std::move(nothing));
    return ok();
  }
  auto found = scan(*file_, ~std::uint64_t{0});
  if (!found) {
    return std::move(found).error().wrap("rewind");
  }
  Reopening how;
  how.intact = synced_end_;
  RECORDING_TRY(repair(*file_, found.value(), how));
  take_over(std::move(found).value());
  return ok();
}

// What a failed write left behind must not be taken for a box, should a shorter one take its place.
Status RecordingFileImpl::drop_leftover() {
  if (leftover_) {
    RECORDING_TRY(file_->truncate(end_));
    leftover_ = false;
  }
  return ok();
}

Result<Bytes> RecordingFileImpl::first_head(const AppendPlan& plan) const {
  return head_image(init_segment(plan.head, state_.identity.started_wall_ms), 0);
}

// A later track: a copy of the new moov first, durable, then the head in place, durable. A torn
// head is restored from the copy; the fragment that has the track comes only after both.
Status RecordingFileImpl::extend_head(const AppendPlan& plan) {
  Bytes init = init_segment(plan.head, state_.identity.started_wall_ms);
  // The file's own ftyp stays, whatever version of this software wrote it: offsets never move.
  init.erase(init.begin(), init.begin() + static_cast<std::ptrdiff_t>(ftyp_size(init)));
  init.insert(init.begin(), head_init_.begin(),
              head_init_.begin() + static_cast<std::ptrdiff_t>(placeholder_));
  if (init == head_init_) {  // it got so far before a crash, or an error
    return ok();
  }
  auto image = head_image(init, head_size_);
  if (!image) {
    return std::move(image).error();
  }
  Bytes copy;
  write_private_box(copy, kHeadCopyBox, init);
  iovec piece{copy.data(), copy.size()};
  leftover_ = true;
  RECORDING_TRY(file_->write_at({&piece, 1}, end_));
  RECORDING_TRY(force());
  const std::size_t from = static_cast<std::size_t>(placeholder_ + kPlaceholderSize);
  piece = {image.value().data() + from, image.value().size() - from};
  // From here on the copy stays: a scan that finds the head torn needs it.
  end_ += copy.size();
  synced_end_ = end_;
  leftover_ = false;
  RECORDING_TRY(file_->write_at({&piece, 1}, from));
  RECORDING_TRY(force());
  head_init_ = std::move(init);
  return ok();
}

// Everything in front of the media, into header_: at end_, or from 0 on with the first one.
RecordingFileImpl::Written RecordingFileImpl::build(const AppendPlan& plan,
                                                    const Fragment& fragment) {
  Written written;
  const auto at = [&] { return end_ + header_.size(); };
  if (is_empty()) {
    write_private_box(header_, kIdentityBox, encode(state_.identity));
  }
  if (state_.index_due()) {
    written.index = true;
    written.index_at = at();
    write_private_box(header_, kIndexBox, state_.index().payload());
  }
  if (plan.changed != 0) {
    written.epoch_at = at();
    Epoch& epoch = written.epoch.emplace();
    epoch.index = state_.epochs();
    epoch.changed = plan.changed;
    epoch.position_ms = plan.begin_ms.value_or(state_.duration_ms());
    epoch.tracks = plan.current;
    epoch.init = init_segment(plan.current, state_.identity.started_wall_ms);
    write_private_box(header_, kEpochBox, encode(epoch));
  }
  if (fragment.mark) {
    written.mark_at = at();
    written.mark = PlacedMark{*fragment.mark, state_.duration_ms()};
    write_private_box(header_, kMarkBox, encode(*written.mark));
  }
  PerTrack<std::uint32_t> durations{};
  for (TrackKind kind : kTrackOrder) {
    const auto& setup = plan.current[slot(kind)];
    durations[slot(kind)] = setup ? setup->default_duration : 0;
  }
  std::uint32_t sequence = state_.next_sequence();
  if (plan.ahead) {
    written.ahead_at = at();
    write_fragment_header(header_, sequence++, {&*plan.ahead, 1}, durations);
    written.ahead_media_at = at();
    for (const iovec& piece : plan.ahead_pieces) {
      put_bytes(header_, {static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len});
    }
  }
  if (!plan.runs.empty() && !fragment.repairs.empty()) {
    written.repairs = true;
    written.repairs_at = at();
    write_private_box(header_, kRepairBox, encode(fragment.repairs));
  }
  written.moof_at = at();
  if (!plan.runs.empty()) {
    write_fragment_header(header_, sequence, plan.runs, durations);
  }
  written.media_at = at();
  written.end = written.media_at + plan.media_bytes;
  return written;
}

Status RecordingFileImpl::write_out(const AppendPlan& plan) {
  pieces_.clear();
  pieces_.push_back({header_.data(), header_.size()});
  pieces_.insert(pieces_.end(), plan.pieces.begin(), plan.pieces.end());
  leftover_ = true;
  RECORDING_TRY(file_->write_at(pieces_, end_));
  leftover_ = false;
  return ok();
}

// The same calls in the same order as a scan makes when it reads what was written.
void RecordingFileImpl::commit(const AppendPlan& plan, Written& written) {
  if (written.index) {
    state_.on_index(written.index_at);
  }
  if (written.epoch) {
    state_.on_epoch(*written.epoch, written.epoch_at);
  }
  if (written.mark) {
    state_.on_mark(*written.mark, written.mark_at);
  }
  if (plan.ahead) {
    state_.on_fragment(written.ahead_at, written.ahead_media_at, {&*plan.ahead, 1});
  }
  if (written.repairs) {
    state_.on_repairs(written.repairs_at);
  }
  if (!plan.runs.empty()) {
    state_.on_fragment(written.moof_at, written.media_at, plan.runs);
  }
  end_ = written.end;
  length_ = end_;
}

Status RecordingFileImpl::append(const Fragment& fragment) {
  if (finished_ || final_moov_ != 0) {
    return invalid("the recording is finished");
  }
  auto checked = AppendPlan::make(state_, fragment);
  if (!checked) {
    return std::move(checked).error();
  }
  const AppendPlan& plan = checked.value();
  RECORDING_TRY(drop_leftover());
  header_.clear();
  std::uint32_t head_size = 0;
  if (is_empty()) {
    if (!fragment.mark || fragment.mark->kind != MarkKind::kBegin || plan.runs.empty()) {
      return invalid("a file begins with samples and a mark of its session");
    }
    auto image = first_head(plan);
    if (!image) {
      return std::move(image).error();
    }
    header_ = std::move(image).value();
    head_size = static_cast<std::uint32_t>(header_.size());
  } else if (plan.new_tracks) {
    RECORDING_TRY(extend_head(plan));
  }
  Written written = build(plan, fragment);
  if (header_.empty()) {
    return ok();  // neither samples nor a mark nor a change
  }
  RECORDING_TRY(write_out(plan));
  if (is_empty()) {
    head_size_ = head_size;
    head_init_ = init_segment(plan.head, state_.identity.started_wall_ms);
    placeholder_ = ftyp_size(head_init_);
  }
  commit(plan, written);
  return ok();
}

// The last index, the tail and the moov, at end_ and durable. Nothing of the object changes but
// final_moov_, so after an error it all is written again, or recording goes on.
Status RecordingFileImpl::write_final_moov() {
  RECORDING_TRY(drop_leftover());
  const Bytes newest = state_.index().empty() ? Bytes{} : state_.index().payload();
  auto walk = IndexWalk::open(*file_, state_.index().previous(), end_, newest);
  if (!walk) {
    return std::move(walk).error();
  }
  Bytes boxes;
  Tail tail{state_.index().previous(), length_};
  if (!newest.empty()) {
    tail.last_index = end_;
    write_private_box(boxes, kIndexBox, newest);
  }
  write_private_box(boxes, kTailBox, encode(tail));
  const MoovRequest request{*file_, walk.value()};
  auto tally = count_moov(request);
  if (!tally) {
    return std::move(tally).error();
  }
  const std::uint64_t moov = end_ + boxes.size();
  const MoovPlan plan =
      plan_moov(tally.value().tracks, state_.identity.started_wall_ms, Shown{}, moov);
  const iovec piece{boxes.data(), boxes.size()};
  leftover_ = true;
  RECORDING_TRY(file_->write_at({&piece, 1}, end_));
  RECORDING_TRY(write_moov(request, plan, *file_, moov, 0));
  RECORDING_TRY(force());
  leftover_ = false;
  synced_end_ = end_;
  final_moov_ = moov;
  final_size_ = moov + plan.size;
  return ok();
}

Status RecordingFileImpl::commit_placeholder() {
  Bytes bytes = committed_placeholder(placeholder_, final_moov_);
  const iovec piece{bytes.data(), bytes.size()};
  RECORDING_TRY(file_->write_at({&piece, 1}, placeholder_));
  return force();
}

Status RecordingFileImpl::finish() {
  if (finished_) {
    return ok();
  }
  if (is_empty()) {
    return invalid("nothing was recorded");
  }
  // Once the moov is durable it is never touched again: the placeholder may be on the disk even
  // though writing it gave an error.
  if (final_moov_ == 0) {
    if (Status written = write_final_moov(); !written) {
      (void)drop_leftover();  // gives the space back; tried again before the next write
      return std::move(written).error().wrap("finish");
    }
  }
  RECORDING_TRY(commit_placeholder());
  finished_ = true;
  length_ = final_size_;
  return ok();
}

}  // namespace

Result<std::unique_ptr<RecordingFile>> RecordingFile::create(std::unique_ptr<storage::File> file,
                                                             Identity identity) {
  auto size = file->size();
  if (!size) {
    return std::move(size).error();
  }
  if (size.value() != 0) {
    return invalid("the file is not empty");
  }
  for (const std::string* text : {&identity.slug, &identity.app, &identity.stream,
                                  &identity.transaction_id, &identity.record_type}) {
    if (text->size() > kMaxIdentityText) {
      return invalid("a name that is too long");
    }
  }
  return std::unique_ptr<RecordingFile>(
      std::make_unique<RecordingFileImpl>(std::move(file), std::move(identity)));
}

Result<std::unique_ptr<RecordingFile>> RecordingFile::reopen(std::unique_ptr<storage::File> file,
                                                             const Reopening& how) {
  auto found = scan(*file, ~std::uint64_t{0});
  if (!found) {
    return std::move(found).error().wrap("reopen");
  }
  if (!found.value().head.finished) {
    RECORDING_TRY(repair(*file, found.value(), how));
  }
  return std::unique_ptr<RecordingFile>(
      std::make_unique<RecordingFileImpl>(std::move(file), std::move(found).value(), how));
}

}  // namespace recording::mp4
