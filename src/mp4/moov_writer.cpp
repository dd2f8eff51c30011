#include "mp4/moov_writer.hpp"

#include <algorithm>
#include <array>

#include "mp4/moov_plan.hpp"
#include "mp4/private_boxes.hpp"
#include "mp4/sample_entries.hpp"
#include "mp4/sample_tables.hpp"
#include "mp4/table_stream.hpp"

namespace recording::mp4 {
namespace {

using media::TrackKind;

// What both passes do with the indexes: follow the epochs, hand each run to its track's tables.
class Pass : public IndexWalk::Visitor {
 public:
  Status on_note(const Note& note) override {
    if (note.kind != NoteKind::kEpoch) {
      return ok();
    }
    auto payload =
        read_private_box(request_.file, note.offset, request_.notes_limit, kEpochBox, buffer_);
    if (!payload) {
      return std::move(payload).error();
    }
    auto epoch = decode_epoch(payload.value());
    if (!epoch) {
      return std::move(epoch).error();
    }
    for (TrackKind kind : kTrackOrder) {
      const auto& setup = epoch.value().tracks[slot(kind)];
      const bool changed = (epoch.value().changed >> slot(kind) & 1U) != 0;
      if (setup && changed && entries_[slot(kind)] < kMaxSampleEntries) {
        ++entries_[slot(kind)];
        entry_.clear();
        BoxWriter out(entry_);
        write_sample_entry(out, setup->config);
        on_entry(kind, *setup, entry_);
      }
    }
    return ok();
  }

  Status on_run(const IndexedRun& run) override {
    if (entries_[slot(run.kind)] == 0) {
      return Error{Errc::kCorrupt, "samples before the configuration of their track"};
    }
    return tables_[slot(run.kind)].add(run, entries_[slot(run.kind)]);
  }

 protected:
  virtual void on_entry(TrackKind kind, const TrackSetup& setup, ByteView entry) = 0;
  Pass(const MoovRequest& request, TableSink& video, TableSink& audio)
      : request_(request), tables_{TrackTables(video), TrackTables(audio)} {}

  const MoovRequest& request_;
  PerTrack<TrackTables> tables_;
  PerTrack<std::uint32_t> entries_{};

 private:
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

  // Tracks that have samples; when none has, all.
  PerTrack<std::optional<TrackTally>> result() {
    PerTrack<std::optional<TrackTally>> tracks;
    const bool any = tables_[0].samples() + tables_[1].samples() > 0;
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      TrackTables& table = tables_[i];
      table.close();
      TrackTally& tally = sinks[i].tally;
      tally.samples = table.samples();
      tally.first_dts = table.first_dts();
      tally.first_cts = table.first_cts();
      tally.end_dts = table.end_dts();
      tally.end_pts = table.end_pts();
      if (tally.samples > 0 || (!any && tally.entries > 0)) {
        tracks[i] = tally;
      }
    }
    return tracks;
  }

 private:
  void on_entry(TrackKind kind, const TrackSetup& setup, ByteView entry) override {
    TrackTally& tally = sinks[slot(kind)].tally;
    if (tally.entries == 0) {
      tally.first_setup = setup;
      const std::uint32_t timescale = request_.timescales[slot(kind)];
      tally.first_setup.timescale = timescale != 0 ? timescale : setup.timescale;
    }
    ++tally.entries;
    tally.entry_bytes += entry.size();
  }
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
    wide_offsets ? stream(Table::kChunks).u64(offset)
                 : stream(Table::kChunks).u32(static_cast<std::uint32_t>(offset));
  }
  TableStream& stream(Table table) { return streams[static_cast<std::size_t>(table)]; }

  std::array<TableStream, kTables> streams;
  bool has_cts = false, has_stss = false, wide_offsets = false;
};

// A base for the same reason.
struct WritingSinks {
  PerTrack<WritingSink> sinks;
};

class WritingPass final : private WritingSinks, public Pass {
 public:
  WritingPass(const MoovRequest& request, const MoovPlan& plan)
      : Pass(request, sinks[0], sinks[1]) {
    std::uint64_t holes = 0;
    for (const MoovPlan::Hole& hole : plan.holes) {
      WritingSink& sink = sinks[slot(hole.kind)];
      sink.stream(hole.table) =
          TableStream(request.file, request.offset + hole.at + holes, hole.size);
      sink.has_cts |= hole.table == Table::kCtts;
      sink.has_stss |= hole.table == Table::kStss;
      sink.wide_offsets = plan.wide_offsets;
      holes += hole.size;
    }
  }

  Status close() {
    for (std::size_t i = 0; i < sinks.size(); ++i) {
      tables_[i].close();
      for (TableStream& stream : sinks[i].streams) {
        RECORDING_TRY(stream.close());
      }
    }
    return ok();
  }

 private:
  void on_entry(TrackKind kind, const TrackSetup&, ByteView entry) override {
    sinks[slot(kind)].stream(Table::kStsd).bytes(entry);
  }
};

// Everything but the rows of the tables.
Status write_frame(const MoovRequest& request, const MoovPlan& plan) {
  std::size_t from = 0;
  std::uint64_t holes = 0;
  const auto piece = [&](std::size_t to) {
    const iovec bytes{const_cast<std::uint8_t*>(plan.bytes.data()) + from, to - from};
    Status written = request.file.write_at({&bytes, 1}, request.offset + from + holes);
    from = to;
    return written;
  };
  for (const MoovPlan::Hole& hole : plan.holes) {
    RECORDING_TRY(piece(hole.at));
    holes += hole.size;
  }
  return from < plan.bytes.size() ? piece(plan.bytes.size()) : ok();
}

}  // namespace

Result<std::uint64_t> write_moov(const MoovRequest& request) {
  CountingPass counting(request);
  RECORDING_TRY(request.walk.run(counting, request.newest_index));
  const MoovPlan plan = plan_moov(counting.result(), request.created_wall_ms, request.offset);
  WritingPass writing(request, plan);
  RECORDING_TRY(write_frame(request, plan));
  RECORDING_TRY(request.walk.run(writing, request.newest_index));
  RECORDING_TRY(writing.close());
  return plan.size;
}

}  // namespace recording::mp4
