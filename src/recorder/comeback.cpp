#include "recorder/comeback.hpp"

#include "recorder/journal_record.hpp"
#include "runtime/journal.hpp"

namespace recording::recorder {
namespace {

// Turns what the journal holds of one session back into fragments.
class Replay {
 public:
  Replay(RecordingWriter& writer, PerKind<std::uint64_t> from, const Seam* seam)
      : writer_(writer), from_(from), seam_(seam) {
    for (const media::TrackKind kind : kBothKinds) {
      if (const media::TrackConfig* config = writer.file().config(kind); config != nullptr) {
        config_[index_of(kind)] = *config;
      }
    }
  }

  Status run(const LeftRecords& left) {
    for (const LeftRecords::Entry& entry : left.entries) {
      const std::size_t i = index_of(entry.sample.header.kind);
      if (entry.is_config) {
        if (!config_[i].same_source(entry.config)) {
          RECORDING_TRY(flush());
          config_[i] = entry.config;
        }
      } else if (entry.sample.header.ordinal >= from_[i] &&
                 config_[i].codec != media::Codec::kNone) {
        RECORDING_TRY(take(entry.sample));
      }
    }
    return flush();
  }

  [[nodiscard]] std::uint64_t recovered() const { return recovered_; }

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
    if (samples.empty()) {
      first_[i] = header.ordinal;
    }
    samples.push_back({header.dts, header.cts, header.total, (header.flags & kFlagKey) != 0});
    pieces_[i].insert(pieces_[i].end(), left.payload.begin(), left.payload.end());
    last_duration_[i] = header.duration;
    return ok();
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
      batch.first_ordinal[i] = samples_[i].empty() ? from_[i] : first_[i];
    }
    RECORDING_TRY(writer_.append(batch, seam_));
    seam_ = nullptr;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      recovered_ += samples_[i].size();
      samples_[i].clear();
      pieces_[i].clear();
    }
    return ok();
  }

  RecordingWriter& writer_;
  PerKind<std::uint64_t> from_;
  const Seam* seam_;
  PerKind<media::TrackConfig> config_;
  PerKind<std::vector<mp4::Sample>> samples_;
  PerKind<std::vector<iovec>> pieces_;
  PerKind<std::uint32_t> last_duration_{};
  PerKind<std::uint64_t> first_{};
  std::uint64_t recovered_ = 0;
};

bool has_samples(const LeftRecords& left, const PerKind<std::uint64_t>& from) {
  for (const LeftRecords::Entry& entry : left.entries) {
    if (!entry.is_config && entry.sample.header.ordinal >= from[index_of(entry.sample.header.kind)]) {
      return true;
    }
  }
  return false;
}

// Adds what is left of `session`, from the given ordinals on.
Status replay_session(const ComebackRequest& request, std::uint64_t session,
                      const PerKind<std::uint64_t>& from, const Seam* seam, Comeback& comeback) {
  auto segments = runtime::read_left_segments(request.runtime_directory, session);
  if (!segments) {
    return std::move(segments).error();
  }
  const LeftRecords left = read_left_records(segments.value());
  if (!has_samples(left, from)) {
    return ok();
  }
  Replay replay(*comeback.writer, from, seam);
  RECORDING_TRY(replay.run(left));
  comeback.recovered_samples += replay.recovered();
  return ok();
}

}  // namespace

Result<Comeback> come_back(storage::FileSystem& files, const ComebackRequest& request) {
  Comeback comeback;
  Seam seam;
  seam.session = request.session;
  seam.fence = request.fence;

  auto writer = RecordingWriter::reopen(files, request.spool, request.identity.slug);
  if (writer) {
    comeback.writer = std::move(writer).value();
    if (comeback.writer->file().finished()) {
      return comeback;
    }
    const mp4::Mark mark = comeback.writer->file().last_mark();
    PerKind<std::uint64_t> from = mark.next_ordinal;
    for (const media::TrackKind kind : kBothKinds) {
      from[index_of(kind)] += comeback.writer->file().samples_since_mark(kind);
    }
    RECORDING_TRY(replay_session(request, mark.session, from, nullptr, comeback));
    if (request.session != 0 && request.session != mark.session) {
      RECORDING_TRY(
          replay_session(request, request.session, request.first_ordinal, &seam, comeback));
    }
    RECORDING_TRY(comeback.writer->sync());
    RECORDING_TRY(runtime::release_left_segments(request.runtime_directory, mark.session));
  } else if (writer.error().code == Errc::kNotFound ||
             (writer.error().code == Errc::kCorrupt && request.session != 0)) {
    // Killed before its first fragment was whole: all there is lies in the journal.
    auto segments = runtime::read_left_segments(request.runtime_directory, request.session);
    if (!segments || request.session == 0 ||
        !has_samples(read_left_records(segments.value()), request.first_ordinal)) {
      if (writer.error().code == Errc::kCorrupt) {
        return std::move(writer).error();
      }
      return comeback;
    }
    if (writer.error().code == Errc::kCorrupt) {
      // Torn in its first write, or worse: kept for a person to look at.
      const std::string path = spool_path(request.spool, request.identity.slug);
      RECORDING_TRY(files.rename(path, path + ".unreadable"));
    }
    auto made = RecordingWriter::create(files, request.spool, request.identity);
    if (!made) {
      return std::move(made).error();
    }
    comeback.writer = std::move(made).value();
    RECORDING_TRY(replay_session(request, request.session, request.first_ordinal, &seam, comeback));
    RECORDING_TRY(comeback.writer->sync());
  } else {
    return std::move(writer).error();
  }
  if (request.session != 0) {
    RECORDING_TRY(runtime::release_left_segments(request.runtime_directory, request.session));
  }
  return comeback;
}

}  // namespace recording::recorder
