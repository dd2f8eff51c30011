#include "recorder/recording_writer.hpp"

#include <algorithm>
#include <limits>

#include "storage/cut_tail.hpp"

namespace recording::recorder {
namespace {

std::int64_t rescale(std::int64_t ticks, std::uint32_t from, std::uint32_t to) {
  if (from == to) {
    return ticks;
  }
  const __int128 product = static_cast<__int128>(ticks) * to;
  const __int128 half = product >= 0 ? from / 2 : -static_cast<__int128>(from / 2);
  return static_cast<std::int64_t>((product + half) / from);
}

// What is said of a last sample, whose follower is not known.
constexpr std::int64_t kLongestLastSeconds = 60;
// Of one sample to the next a file takes 2^31 - 1 (mp4/recording_file.hpp); less, because it may be
// counted from the end of the last one.
constexpr std::int64_t kLongestStep = std::int64_t{1} << 30;

// Where two tracks of different timescales must be compared.
constexpr std::uint32_t kCommonTimescale = 1000000;

}  // namespace

std::string spool_folder(const std::string& spool, const std::string& slug) {
  return spool + "/" + slug;
}
std::string spool_path(const std::string& spool, const std::string& slug) {
  return spool_folder(spool, slug) + "/source.mp4";
}

LogLevel level_of(const CutOff& cut) {
  return cut.kept_path.empty() ? LogLevel::kWarn : LogLevel::kCrit;
}

std::string tell(const CutOff& cut, const std::string& path) {
  const std::string bytes = std::to_string(cut.bytes) + " bytes";
  return cut.kept_path.empty()
             ? path + ": its last fragment was not whole; " + bytes + " are cut off"
             : path + " is damaged at byte " + std::to_string(cut.from) + ": " + bytes +
                   " from there on are kept as " + cut.kept_path;
}

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::create(storage::FileSystem& files,
                                                                 const std::string& spool,
                                                                 const mp4::Identity& identity) {
  const std::string folder = spool_folder(spool, identity.slug);
  RECORDING_TRY(files.make_directories(folder));
  const std::string path = spool_path(spool, identity.slug);
  auto file = files.create(path);
  if (!file && file.error().code == Errc::kConflict) {
    // Left by an earlier try that failed before its first fragment: nobody else has this slug.
    RECORDING_TRY(files.remove(path));
    file = files.create(path);
  }
  if (!file) {
    return std::move(file).error();
  }
  RECORDING_TRY(file.value()->claim());  // recording-inspect --repair asks
  RECORDING_TRY(files.sync_directory(folder));
  RECORDING_TRY(files.sync_directory(spool));
  auto recording = mp4::RecordingFile::create(std::move(file).value(), identity);
  if (!recording) {
    return std::move(recording).error();
  }
  return std::unique_ptr<RecordingWriter>(new RecordingWriter(std::move(recording).value()));
}

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::reopen(storage::FileSystem& files,
                                                                 const std::string& spool,
                                                                 const std::string& slug,
                                                                 mp4::Reopening how) {
  const std::string path = spool_path(spool, slug);
  auto file = files.open(path);
  if (!file) {
    return std::move(file).error();
  }
  RECORDING_TRY(file.value()->claim());
  std::optional<CutOff> cut_off;
  how.cut = [&](storage::File& cut, const mp4::TornTail& tail) -> Status {
    CutOff done{tail.from, tail.bytes, ""};
    if (tail.what != mp4::TornTail::What::kMore) {
      RECORDING_TRY(cut.truncate(tail.from));
    } else {
      auto kept = storage::cut_and_keep(files, cut, path, tail.from);
      if (!kept) {
        return std::move(kept).error();
      }
      done.kept_path = std::move(kept).value();
    }
    if (tail.what != mp4::TornTail::What::kUnfinishedEnd) {
      cut_off = std::move(done);
    }
    return ok();
  };
  auto recording = mp4::RecordingFile::reopen(std::move(file).value(), how);
  if (!recording) {
    return std::move(recording).error();
  }
  std::unique_ptr<RecordingWriter> writer(new RecordingWriter(std::move(recording).value()));
  writer->cut_off_ = std::move(cut_off);
  return writer;
}

Status RecordingWriter::rewind() {
  RECORDING_TRY(file_->rewind());
  last_dts_ = {-1, -1};
  return ok();
}

std::uint32_t RecordingWriter::timescale(media::TrackKind kind,
                                         const SessionSamples& samples) const {
  // A track's ticks are fixed by its first configuration: a later one of another rate is converted.
  return file_->config(kind) != nullptr ? file_->timescale(kind)
                                        : samples.config[index_of(kind)]->timescale;
}

mp4::Mark RecordingWriter::mark_for(const SessionSamples& samples, const Seam& seam) const {
  mp4::Mark mark;
  mark.kind = seam.kind;
  mark.session = seam.session;
  mark.fence = seam.fence;
  mark.next_ordinal = samples.first_ordinal;
  mark.began_wall_ms = seam.began_wall_ms;
  mark.ended_wall_ms = seam.ended_wall_ms;
  mark.lost_ms = seam.lost_ms;
  mark.reason = seam.reason;

  if (seam.kind == mp4::MarkKind::kOverload) {
    mark.origin_us = file_->last_mark().origin_us;  // the session's own time runs on
    return mark;
  }
  // The earliest sample of the session goes where the longest track of the file ends.
  std::int64_t begin = std::numeric_limits<std::int64_t>::max();
  std::int64_t end = 0;
  for (const media::TrackKind kind : kBothKinds) {
    const std::size_t i = index_of(kind);
    if (!samples.samples[i].empty()) {
      begin = std::min(begin, rescale(samples.samples[i].front().dts, samples.config[i]->timescale,
                                      kCommonTimescale));
    }
    if (file_->config(kind) != nullptr) {
      end = std::max(end, rescale(file_->end_dts(kind), file_->timescale(kind), kCommonTimescale));
    }
  }
  if (begin == std::numeric_limits<std::int64_t>::max()) {
    begin = 0;
  }
  constexpr media::TrackKind video = media::TrackKind::kVideo;
  std::int64_t origin = begin - end;
  // Nor is its first picture to be seen before the last one of the file: with B-frames the last in
  // decoding order, after which the encoder may have been cut off, is not the last to be seen.
  if (const auto& pictures = samples.samples[0]; !pictures.empty() && file_->config(video)) {
    const std::int64_t first = rescale(pictures.front().dts + pictures.front().cts,
                                       samples.config[0]->timescale, kCommonTimescale);
    const std::int64_t seen =
        rescale(file_->end_pts(video), file_->timescale(video), kCommonTimescale);
    origin = std::min(origin, first - seen);
  }
  mark.origin_us = origin - seam.keep_gap_ms * (kCommonTimescale / 1000);
  return mark;
}

void RecordingWriter::place(media::TrackKind kind, const SessionSamples& samples,
                            std::int64_t origin_us) {
  const std::size_t i = index_of(kind);
  const std::uint32_t from = samples.config[i]->timescale;
  const std::uint32_t to = timescale(kind, samples);
  const std::int64_t origin = rescale(origin_us, kCommonTimescale, to);
  std::vector<mp4::Sample>& placed = placed_[i];
  placed.assign(samples.samples[i].begin(), samples.samples[i].end());
  // A late track may begin before the file's zero, and an origin is rounded to ticks.
  std::int64_t earliest = last_dts_[i] + 1;
  for (mp4::Sample& sample : placed) {
    sample.dts = std::max(rescale(sample.dts, from, to) - origin, earliest);
    if (earliest > 0) {  // one track may rest for hours while the other goes on
      sample.dts = std::min(sample.dts, earliest - 1 + kLongestStep);
    }
    sample.cts = static_cast<std::uint32_t>(rescale(sample.cts, from, to));
    earliest = sample.dts + 1;
  }
}

// Whether it is not known where the file's last sample of a track is.
bool RecordingWriter::since_reopened(const SessionSamples& samples) const {
  for (const media::TrackKind kind : kBothKinds) {
    const std::size_t i = index_of(kind);
    if (!samples.samples[i].empty() && last_dts_[i] < 0 && file_->end_dts(kind) > 0) {
      return true;
    }
  }
  return false;
}

// Where, and in what, the tracks that the file has become other ones with this fragment.
SourceChange RecordingWriter::change_in(const mp4::Fragment& fragment) const {
  SourceChange change;
  change.at_ms = std::numeric_limits<std::int64_t>::max();
  for (const mp4::Run& run : fragment.runs) {
    const media::TrackConfig* config = fragment.config[index_of(run.kind)];
    const media::TrackConfig* before = file_->config(run.kind);
    const std::uint32_t ticks = before != nullptr ? file_->timescale(run.kind) : config->timescale;
    const std::int64_t dts = run.samples.front().dts;  // rounded as the timeline does
    change.at_ms = std::min(change.at_ms, dts / ticks * 1000 + dts % ticks * 1000 / ticks);
    if (before == nullptr || config == nullptr || before->same_source(*config)) {
      continue;
    }
    const auto describe =
        run.kind == media::TrackKind::kVideo ? media::describe_video : media::describe_audio;
    for (auto& field : media::changes_between(run.kind, describe(*before), describe(*config))) {
      change.fields.push_back(std::move(field));
    }
  }
  return change;
}

Status RecordingWriter::append(const SessionSamples& samples, const Seam* seam) {
  mp4::Fragment fragment;
  const PerKind<std::int64_t> last_dts_before = last_dts_;
  if (seam != nullptr) {
    fragment.mark = mark_for(samples, *seam);
    if (seam->kind == mp4::MarkKind::kBegin) {
      for (const media::TrackKind kind : kBothKinds) {
        last_dts_[index_of(kind)] = file_->config(kind) != nullptr ? file_->end_dts(kind) - 1 : -1;
      }
    }
  }
  const mp4::Mark& mark = fragment.mark ? *fragment.mark : file_->last_mark();
  std::vector<mp4::Run> runs;
  for (const media::TrackKind kind : kBothKinds) {
    const std::size_t i = index_of(kind);
    if (samples.samples[i].empty()) {
      continue;
    }
    const std::uint32_t to = timescale(kind, samples);
    place(kind, samples, mark.origin_us);
    mp4::Run run;
    run.kind = kind;
    run.samples = placed_[i];
    run.pieces = samples.pieces[i];
    run.last_duration = static_cast<std::uint32_t>(
        std::min(rescale(samples.last_duration[i], samples.config[i]->timescale, to),
                 kLongestLastSeconds * to));
    runs.push_back(run);
    if (file_->config(kind) == nullptr || !file_->config(kind)->same_source(*samples.config[i])) {
      adapted_[i] = *samples.config[i];
      adapted_[i].timescale = to;
      fragment.config[i] = &adapted_[i];
    }
  }
  repairs_.assign(samples.repairs.begin(), samples.repairs.end());
  for (media::TimestampRepair& repair : repairs_) {
    repair.at_ms = std::max<std::int64_t>((repair.at_ms * 1000 - mark.origin_us) / 1000, 0);
  }
  fragment.repairs = repairs_;
  fragment.runs = runs;
  SourceChange change = change_in(fragment);
  Status status = file_->append(fragment);
  if (!status && status.error().code == Errc::kInvalidArgument && since_reopened(samples)) {
    // The last sample of the file may have been moved behind where this one belongs.
    for (const media::TrackKind kind : kBothKinds) {
      last_dts_[index_of(kind)] = file_->end_dts(kind) - 1;
    }
    return append(samples, seam);
  }
  if (!status) {
    last_dts_ = last_dts_before;
    return status;
  }
  for (const mp4::Run& run : runs) {
    last_dts_[index_of(run.kind)] = run.samples.back().dts;
  }
  if (!change.fields.empty()) {
    changes_.push_back(std::move(change));
  }
  return ok();
}

}  // namespace recording::recorder
