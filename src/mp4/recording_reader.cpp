#include "mp4/recording_reader.hpp"

#include <algorithm>

#include "mp4/head.hpp"
#include "mp4/index_walk.hpp"

namespace recording::mp4 {
namespace {

std::uint32_t box_of(NoteKind kind) {
  return kind == NoteKind::kMark ? kMarkBox : kind == NoteKind::kEpoch ? kEpochBox : kRepairBox;
}

class NoteReader final : public IndexWalk::Visitor {
 public:
  NoteReader(storage::File& file, std::uint64_t limit, const NoteVisitor& visitor)
      : file_(file), limit_(limit), visitor_(visitor) {}

  Status on_note(const Note& note) override {
    auto payload = read_private_box(file_, note.offset, limit_, box_of(note.kind), buffer_);
    if (!payload) {
      return std::move(payload).error();
    }
    switch (note.kind) {
      case NoteKind::kMark:
        return tell_mark(note.offset, payload.value());
      case NoteKind::kEpoch:
        return tell_epoch(note.offset, payload.value());
      case NoteKind::kRepairs:
        break;
    }
    return tell_repairs(note.offset, payload.value());
  }
  Status on_run(const IndexedRun& run) override {
    const auto& track = first_[slot(run.kind)];
    if (!track) {
      return Error{Errc::kCorrupt, "samples of a track that no epoch has"};
    }
    if (visitor_.on_run) {
      const RunView view{run.kind, run.samples, run.last_duration};
      visitor_.on_run({run.kind, *track, run.samples.size(), run.samples.front().dts,
                       view.end_dts(), run.offset, view.bytes(), run.samples.front().key});
    }
    return ok();
  }

 private:
  Status tell_mark(std::uint64_t offset, ByteView payload) {
    auto mark = decode_mark(payload);
    if (!mark) {
      return std::move(mark).error();
    }
    if (visitor_.on_mark) {
      visitor_.on_mark({offset, mark.value().position_ms, std::move(mark.value().mark)});
    }
    return ok();
  }

  Status tell_repairs(std::uint64_t offset, ByteView payload) {
    auto repairs = decode_repairs(payload);
    if (!repairs) {
      return std::move(repairs).error();
    }
    if (visitor_.on_repairs) {
      visitor_.on_repairs({offset, std::move(repairs).value()});
    }
    return ok();
  }

  Status tell_epoch(std::uint64_t offset, ByteView payload) {
    auto epoch = decode_epoch(payload);
    if (!epoch) {
      return std::move(epoch).error();
    }
    Epoch& found = epoch.value();
    for (media::TrackKind kind : kTrackOrder) {
      const auto& track = found.tracks[slot(kind)];
      auto& first = first_[slot(kind)];
      if (track && !first) {
        first = track->timescale;
      }
    }
    if (visitor_.on_epoch) {
      visitor_.on_epoch({offset, found.position_ms, offset + init_offset(payload, found),
                         found.init.size(), std::move(found)});
    }
    return ok();
  }

  storage::File& file_;
  std::uint64_t limit_;
  const NoteVisitor& visitor_;
  PerTrack<std::optional<std::uint32_t>> first_;  // timescale, fixed when the track comes
  Bytes buffer_;
};

}  // namespace

Status read_notes(storage::File& file, const Committed& committed, const NoteVisitor& visitor) {
  auto head = read_head(file);
  if (!head) {
    return std::move(head).error();
  }
  const std::uint64_t limit = head.value().finished
                                  ? head.value().final_moov
                                  : std::min(committed.length, head.value().file_size);
  auto walk = IndexWalk::open(file, head.value(), {limit, committed.last_index});
  if (!walk) {
    return std::move(walk).error();
  }
  NoteReader reader(file, limit, visitor);
  return walk.value().visit_all(reader);
}

}  // namespace recording::mp4
