#include "mp4/moov_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "mp4/private_boxes.hpp"
#include "mp4/sample_entries.hpp"
#include "mp4/sample_tables.hpp"
#include "mp4/table_stream.hpp"

namespace recording::mp4 {
namespace {

using media::TrackKind;

// What both passes do with the indexes: follow the epochs, hand what is selected of each run to its
// track's tables.
class Pass : public IndexWalk::Visitor {
 public:
  Status run() {
    IndexWalk& walk = request_.walk;
    for (std::size_t i = 0; i < walk.size(); ++i) {
      RECORDING_TRY(is_wanted(i) ? walk.visit(i, *this) : walk.visit_notes(i, *this));
    }
    return ok();
  }

  Status on_note(const Note& note) override {
    if (note.kind != NoteKind::kEpoch) {
      return ok();
    }
    auto epoch = read_epoch(request_.file, note.offset, request_.walk.limit(), buffer_);
    if (!epoch) {
      return std::move(epoch).error();
    }
    for (TrackKind kind : kTrackOrder) {
      auto& setup = epoch.value().tracks[slot(kind)];
      if (setup && (epoch.value().changed >> slot(kind) & 1U) != 0) {
        next_[slot(kind)] = std::move(setup);
      }
    }
    return ok();
  }

  Status on_run(const IndexedRun& run) override {
    const Selection::Track& wanted = request_.selection.tracks[slot(run.kind)];
    const RunView all{run.kind, run.samples, run.last_duration};
    std::uint64_t offset = run.offset;
    for (std::size_t i = 0; i < run.samples.size();) {
      const std::size_t from = i;
      std::uint64_t size = 0;
      for (; i < run.samples.size() && wanted.has(run.samples[i]); ++i) {
        size += run.samples[i].size;
      }
      if (i > from) {
        RECORDING_TRY(
            add(offset, {run.kind, all.samples.subspan(from, i - from), all.duration(i - 1)}));
        on_media(offset, offset + size);
      } else {
        size = run.samples[i++].size;
      }
      offset += size;
    }
    return ok();
  }

 protected:
  virtual void on_entry(TrackKind kind, const TrackSetup& setup, ByteView entry) = 0;
  virtual void on_media(std::uint64_t begin, std::uint64_t end) = 0;
  Pass(const MoovRequest& request, TableSink& video, TableSink& audio)
      : request_(request), tables_{TrackTables(video), TrackTables(audio)} {}

  // After the last index. A moov without any sample describes its tracks all the same. Whether
  // there is one.
  bool close() {
    const bool any = tables_[0].samples() + tables_[1].samples() > 0;
    for (TrackKind kind : kTrackOrder) {
      tables_[slot(kind)].close();
      if (!any) {
        begin_entry(kind);
      }
    }
    return any;
  }

  const MoovRequest& request_;
  PerTrack<TrackTables> tables_;

 private:
  [[nodiscard]] bool is_wanted(std::size_t i) const {
    return std::any_of(kTrackOrder.begin(), kTrackOrder.end(), [&](TrackKind kind) {
      const Selection::Track& wanted = request_.selection.tracks[slot(kind)];
      return request_.walk.begin_dts(i, kind) < wanted.end_dts &&
             request_.walk.end_dts(i, kind) > wanted.begin_dts;
    });
  }

  Status add(std::uint64_t offset, const RunView& run) {
    begin_entry(run.kind);
    if (entries_[slot(run.kind)] == 0) {
      return Error{Errc::kCorrupt, "samples before the configuration of their track"};
    }
    return tables_[slot(run.kind)].add(offset, run, entries_[slot(run.kind)]);
  }

  // The sample entry of the last change, where samples need one.
  void begin_entry(TrackKind kind) {
    auto& setup = next_[slot(kind)];
    if (setup && entries_[slot(kind)] < kMaxSampleEntries) {
      ++entries_[slot(kind)];
      entry_.clear();
      BoxWriter out(entry_);
      write_sample_entry(out, setup->config);
      on_entry(kind, *setup, entry_);
    }
    setup.reset();
  }

  TrackSetups next_;
  PerTrack<std::uint32_t> entries_{};
  Bytes buffer_, entry_;
};

// The rows of a track, counted.
class CountingSink final : public TableSink {
 public:
  void stts(std::uint32_t, std::uint32_t) override { ++tally.stts_rows; }
  void ctts(std::uint32_t, std::uint32_t offset) override {
    ++tally.ctts_rows;
    tally.has_cts |= offset != 0;
  }
  void stsc(std::uint32_t, std::uint32_t, std::uint32_t) override { ++tally.stsc_rows; }
  void stsz(std::uint32_t) override {}
  void stss(std::uint32_t) override { ++tally.sync_samples; }
  void chunk(std::uint64_t) override { ++tally.chunks; }

  TrackTally tally;
};

// A base, so that the sinks are there before the Pass that refers to them.
struct CountingSinks {
  PerTrack<CountingSink> sinks;
};

class CountingPass final : private CountingSinks, public Pass {
 public:
  explicit CountingPass(const MoovRequest& request) : Pass(request, sinks[0], sinks[1]) {}

  MoovTally result() {
    const bool any = close();
    MoovTally result;
    for (std::size_t i = 0; i < sinks.size(); ++i) {
      const TrackTables& table = tables_[i];
      TrackTally& tally = sinks[i].tally;
      tally.samples = table.samples();
      tally.first_dts = table.first_dts();
      tally.first_cts = table.first_cts();
      tally.end_dts = table.end_dts();
      tally.end_pts = table.end_pts();
      if (tally.samples > 0 || (!any && tally.entries > 0)) {
        result.tracks[i] = tally;
      }
    }
    result.media_begin = std::min(media_begin_, media_end_);
    result.media_end = media_end_;
    return result;
  }

 private:
  void on_entry(TrackKind kind, const TrackSetup& setup, ByteView entry) override {
    TrackTally& tally = sinks[slot(kind)].tally;
    if (tally.entries == 0) {
      tally.first_setup = setup;
    }
    ++tally.entries;
    tally.entry_bytes += entry.size();
  }
  void on_media(std::uint64_t begin, std::uint64_t end) override {
    media_begin_ = std::min(media_begin_, begin);
    media_end_ = std::max(media_end_, end);
  }

  std::uint64_t media_begin_ = ~std::uint64_t{0}, media_end_ = 0;
};

// The rows of a track, written.
class WritingSink final : public TableSink {
 public:
  void stts(std::uint32_t count, std::uint32_t duration) override {
    stream(Table::kStts).u32(count);
    stream(Table::kStts).u32(duration);
  }
  void ctts(std::uint32_t count, std::uint32_t offset) override {
    if (has_cts) {
      stream(Table::kCtts).u32(count);
      stream(Table::kCtts).u32(offset);
    }
  }
  void stsc(std::uint32_t first_chunk, std::uint32_t samples, std::uint32_t entry) override {
    for (std::uint32_t value : {first_chunk, samples, entry}) {
      stream(Table::kStsc).u32(value);
    }
  }
  void stsz(std::uint32_t size) override { stream(Table::kStsz).u32(size); }
  void stss(std::uint32_t number) override {
    if (has_stss) {
      stream(Table::kStss).u32(number);
    }
  }
  void chunk(std::uint64_t offset) override {
    wide_offsets ? stream(Table::kChunks).u64(offset + shift)
                 : stream(Table::kChunks).u32(static_cast<std::uint32_t>(offset + shift));
  }
  TableStream& stream(Table table) { return streams[static_cast<std::size_t>(table)]; }

  std::array<TableStream, kTables> streams;
  bool has_cts = false, has_stss = false, wide_offsets = false;
  std::uint64_t shift = 0;
};

// A base for the same reason.
struct WritingSinks {
  PerTrack<WritingSink> sinks;
};

class WritingPass final : private WritingSinks, public Pass {
 public:
  WritingPass(const MoovRequest& request, const MoovPlan& plan, storage::File& into,
              std::uint64_t at, std::uint64_t shift)
      : Pass(request, sinks[0], sinks[1]) {
    for (const MoovPlan::Hole& hole : plan.holes) {
      WritingSink& sink = sinks[slot(hole.kind)];
      sink.stream(hole.table) = TableStream(into, at + hole.at, hole.size);
      sink.has_cts |= hole.table == Table::kCtts;
      sink.has_stss |= hole.table == Table::kStss;
      sink.wide_offsets = plan.wide_offsets;
      sink.shift = shift;
      at += hole.size;
    }
  }

  Status finish() {
    (void)close();
    for (WritingSink& sink : sinks) {
      for (TableStream& stream : sink.streams) {
        RECORDING_TRY(stream.close());
      }
    }
    return ok();
  }

 private:
  void on_entry(TrackKind kind, const TrackSetup&, ByteView entry) override {
    sinks[slot(kind)].stream(Table::kStsd).bytes(entry);
  }
  void on_media(std::uint64_t, std::uint64_t) override {}
};

// Everything but the rows of the tables.
Status write_frame(const MoovPlan& plan, storage::File& into, std::uint64_t at) {
  std::size_t from = 0;
  const auto piece = [&](std::size_t to) {
    const iovec bytes{const_cast<std::uint8_t*>(plan.bytes.data()) + from, to - from};
    return into.write_at({&bytes, 1}, at + std::exchange(from, to));
  };
  for (const MoovPlan::Hole& hole : plan.holes) {
    RECORDING_TRY(piece(hole.at));
    at += hole.size;
  }
  return from < plan.bytes.size() ? piece(plan.bytes.size()) : ok();
}

}  // namespace

Result<MoovTally> count_moov(const MoovRequest& request) {
  CountingPass counting(request);
  RECORDING_TRY(counting.run());
  return counting.result();
}

Status write_moov(const MoovRequest& request, const MoovPlan& plan, storage::File& into,
                  std::uint64_t at, std::uint64_t shift) {
  WritingPass writing(request, plan, into, at, shift);
  RECORDING_TRY(write_frame(plan, into, at));
  RECORDING_TRY(writing.run());
  return writing.finish();
}

}  // namespace recording::mp4
