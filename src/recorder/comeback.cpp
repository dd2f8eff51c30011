#include "recorder/comeback.hpp"

#include <algorithm>
#include <optional>

#include "recorder/journal_record.hpp"
#include "runtime/journal.hpp"

namespace recording::recorder {
namespace {

// Turns what the journal holds of one session back into fragments.
class Replay {
 public:
  Replay(RecordingWriter& writer, const SessionPart& part, const Seam* seam)
      : writer_(writer), part_(part), next_(part.first) {
    if (seam != nullptr) {
      seam_ = *seam;
    }
    for (const media::TrackKind kind : kBothKinds) {
      if (const media::TrackConfig* config = writer.file().config(kind); config != nullptr) {
        config_[index_of(kind)] = *config;
      }
    }
  }

  Status run(const LeftRecords& left) {
    for (const LeftRecords::Entry& entry : left.entries) {
      const std::size_t i = index_of(entry.sample.header.kind);
      if (entry.type == RecordType::kConfig) {
        if (!config_[i].same_source(entry.config)) {
          RECORDING_TRY(flush());
          config_[i] = entry.config;
        }
      } else if (entry.type == RecordType::kRepair) {
        repair_[i] = &entry;
      } else if (is_wanted(entry.sample.header, part_) && config_[i].codec != media::Codec::kNone) {
        RECORDING_TRY(take(entry.sample));
      }
    }
    return flush();
  }

  [[nodiscard]] std::uint64_t recovered() const { return recovered_; }

  static bool is_wanted(const RecordHeader& header, const SessionPart& part) {
    const std::size_t i = index_of(header.kind);
    return header.ordinal >= part.first[i] && header.ordinal < part.end[i];
  }

 private:
  Status take(const LeftSample& left) {
    const RecordHeader& header = left.header;
    const std::size_t i = index_of(header.kind);
    std::vector<mp4::Sample>& samples = samples_[i];
    const bool key_picture = i == 0 && (header.flags & kFlagKey) != 0;
    const bool long_enough =
        !samples.empty() && header.dts - samples.front().dts >= header.timescale;
    if (long_enough || (key_picture && !samples.empty())) {
      RECORDING_TRY(flush());
    }
    if (header.ordinal != next_[i]) {
      // Samples were dropped here. Noted, or a second recovery would count wrong.
      RECORDING_TRY(flush());
      if (!seam_) {
        seam_ = overload();
      }
      next_[i] = header.ordinal;
    }
    if (repair_[i] != nullptr && repair_[i]->sample.header.ordinal == header.ordinal) {
      media::note_repair(repairs_, repair_[i]->repair);
    }
    samples.push_back({header.dts, header.cts, header.total, (header.flags & kFlagKey) != 0});
    pieces_[i].insert(pieces_[i].end(), left.payload.begin(), left.payload.end());
    last_duration_[i] = header.duration;
    ++next_[i];
    return ok();
  }

  [[nodiscard]] Seam overload() const {
    Seam seam;
    seam.kind = mp4::MarkKind::kOverload;
    seam.session = part_.session;
    seam.fence = writer_.file().last_mark().fence;
    seam.reason = "overload";
    return seam;
  }

  Status flush() {
    if (samples_[0].empty() && samples_[1].empty()) {
      return ok();
    }
    SessionSamples batch;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      batch.samples[i] = samples_[i];
      batch.pieces[i] = pieces_[i];
      batch.last_duration[i] = last_duration_[i];
      batch.config[i] = &config_[i];
      batch.first_ordinal[i] = next_[i] - samples_[i].size();
    }
    batch.repairs = repairs_;
    Status status = writer_.append(batch, seam_ ? &*seam_ : nullptr);
    if (!status && status.error().code != Errc::kInvalidArgument) {
      return status;
    }
    if (status) {
      seam_.reset();
      recovered_ += samples_[0].size() + samples_[1].size();
    } else if (!seam_) {
      seam_ = overload();  // no file can hold them, as when they came; see Recording::post_write()
    }
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      samples_[i].clear();
      pieces_[i].clear();
    }
    repairs_.clear();
    return ok();
  }

  RecordingWriter& writer_;
  const SessionPart& part_;
  PerKind<std::uint64_t> next_;
  std::optional<Seam> seam_;
  PerKind<media::TrackConfig> config_;
  PerKind<std::vector<mp4::Sample>> samples_;
  PerKind<std::vector<iovec>> pieces_;
  PerKind<std::uint32_t> last_duration_{};
  PerKind<const LeftRecords::Entry*> repair_{};  // the last one of the track
  std::vector<media::TimestampRepair> repairs_;  // of what is gathered
  std::uint64_t recovered_ = 0;
};

bool has_samples(const LeftRecords& left, const SessionPart& part) {
  for (const LeftRecords::Entry& entry : left.entries) {
    if (entry.type == RecordType::kSample && Replay::is_wanted(entry.sample.header, part)) {
      return true;
    }
  }
  return false;
}

Seam seam_of(const ComebackRequest& request, const SessionPart& part) {
  Seam seam;
  seam.session = part.session;
  seam.fence = request.fence;
  return seam;
}

// Adds what is left of one session.
Status replay_part(const ComebackRequest& request, const SessionPart& part, const Seam* seam,
                   Comeback& comeback) {
  auto segments = runtime::read_left_segments(request.runtime_directory, part.session);
  if (!segments) {
    return std::move(segments).error();
  }
  const LeftRecords left = read_left_records(segments.value());
  if (!has_samples(left, part)) {
    return ok();
  }
  Replay replay(*comeback.writer, part, seam);
  RECORDING_TRY(replay.run(left));
  comeback.recovered_samples += replay.recovered();
  return ok();
}

// The rest of the session that the file tells of last, then those after it.
Status add_to_file(const ComebackRequest& request, Comeback& comeback) {
  const mp4::Mark mark = comeback.writer->file().last_mark();
  SessionPart rest;
  rest.session = mark.session;
  rest.first = mark.next_ordinal;
  for (const media::TrackKind kind : kBothKinds) {
    rest.first[index_of(kind)] += comeback.writer->file().samples_since_mark(kind);
  }
  auto later = std::find_if(request.parts.begin(), request.parts.end(),
                            [&](const SessionPart& part) { return part.session == mark.session; });
  if (later == request.parts.end()) {
    later = request.parts.begin();
  } else {
    rest.end = later->end;
    ++later;
  }
  RECORDING_TRY(replay_part(request, rest, nullptr, comeback));
  for (; later != request.parts.end(); ++later) {
    const Seam seam = seam_of(request, *later);
    RECORDING_TRY(replay_part(request, *later, &seam, comeback));
  }
  return ok();
}

Result<bool> is_anything_left(const ComebackRequest& request) {
  for (const SessionPart& part : request.parts) {
    auto segments = runtime::read_left_segments(request.runtime_directory, part.session);
    if (!segments) {
      return std::move(segments).error();
    }
    if (has_samples(read_left_records(segments.value()), part)) {
      return true;
    }
  }
  return false;
}

// Killed before its first fragment was whole, all there is lies in the journal. `unreadable`: torn
// in its first write, or worse; kept for a person to look at.
Status begin_from_journal(storage::FileSystem& files, const ComebackRequest& request,
                          bool unreadable, Comeback& comeback) {
  if (unreadable) {
    const std::string path = spool_path(request.spool, request.identity.slug);
    Status aside = files.rename(path, path + ".unreadable");
    if (!aside && aside.error().code == Errc::kConflict) {
      aside = files.remove(path);  // torn once more: the first one is kept
    }
    RECORDING_TRY(std::move(aside));
  }
  auto made = RecordingWriter::create(files, request.spool, request.identity);
  if (!made) {
    return std::move(made).error();
  }
  comeback.writer = std::move(made).value();
  comeback.made = true;
  for (const SessionPart& part : request.parts) {
    const Seam seam = seam_of(request, part);
    RECORDING_TRY(replay_part(request, part, &seam, comeback));
  }
  return ok();
}

Status release(const ComebackRequest& request, std::uint64_t session) {
  const auto& shared = request.shared_sessions;
  return std::find(shared.begin(), shared.end(), session) != shared.end()
             ? ok()
             : runtime::release_left_segments(request.runtime_directory, session);
}

// What a holder left that met a failing sync, and died: the journal has it still.
Status drop_suspect(storage::FileSystem& files, const ComebackRequest& request,
                    std::uint64_t length) {
  const std::string path = spool_path(request.spool, request.identity.slug);
  if (length == 0) {
    Status removed = files.remove(path);
    return removed || removed.error().code == Errc::kNotFound ? ok() : std::move(removed);
  }
  auto file = files.open(path);
  if (!file) {
    return file.error().code == Errc::kNotFound ? ok() : Status(std::move(file).error());
  }
  auto size = file.value()->size();
  if (!size) {
    return std::move(size).error();
  }
  return size.value() > length ? file.value()->truncate(length) : ok();
}

// Adds what the journal has; nothing is given back yet.
Status add_what_is_left(storage::FileSystem& files, const ComebackRequest& request,
                        Comeback& comeback) {
  const std::int64_t suspect = request.suspect_from->get();
  if (suspect > 0) {
    RECORDING_TRY(drop_suspect(files, request, static_cast<std::uint64_t>(suspect - 1)));
  }
  mp4::Reopening how;
  how.intact = request.committed;
  how.synced = request.synced ? request.committed : 0;
  how.suspect = suspect < 0;
  auto writer = RecordingWriter::reopen(files, request.spool, request.identity.slug, how);
  if (writer) {
    comeback.writer = std::move(writer).value();
    return comeback.writer->file().finished() ? ok() : add_to_file(request, comeback);
  }
  const Errc why = writer.error().code;
  if (why != Errc::kNotFound && why != Errc::kCorrupt) {
    return std::move(writer).error();
  }
  if (why == Errc::kNotFound && files.open_for_read(request.stored_path)) {
    return ok();  // it was finished, and what lies in the journal is in it
  }
  auto left = is_anything_left(request);
  if (!left) {
    return std::move(left).error();
  }
  if (!left.value()) {
    return why == Errc::kCorrupt ? Status(std::move(writer).error()) : ok();
  }
  return begin_from_journal(files, request, why == Errc::kCorrupt, comeback);
}

// What is in the file may not be safe, and must not look so to who tries again.
void note_suspect(const ComebackRequest& request, const Comeback& comeback) {
  const bool in_journal = comeback.made || (request.synced && request.committed != 0);
  request.suspect_from->set(
      in_journal ? static_cast<std::int64_t>(comeback.writer->file().synced_length()) + 1 : -1);
}

}  // namespace

Result<Comeback> come_back(storage::FileSystem& files, const ComebackRequest& request) {
  Comeback comeback;
  Status status = add_what_is_left(files, request, comeback);
  const bool unsafe = comeback.writer != nullptr &&
                      (!comeback.writer->file().finished() || comeback.writer->file().suspect());
  if (!unsafe) {
    return status ? Result<Comeback>(std::move(comeback)) : std::move(status).error();
  }
  if (status) {
    status = comeback.writer->sync();
  }
  if (!status) {
    note_suspect(request, comeback);
    return std::move(status).error();
  }
  request.suspect_from->set(0);  // before the journal is given back
  RECORDING_TRY(release(request, comeback.writer->file().last_mark().session));
  for (const SessionPart& part : request.parts) {
    RECORDING_TRY(release(request, part.session));
  }
  return comeback;
}

}  // namespace recording::recorder
