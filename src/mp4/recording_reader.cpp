#include "mp4/recording_reader.hpp"

#include <algorithm>
#include <array>

#include "mp4/box_reader.hpp"
#include "mp4/fragment_header.hpp"
#include "mp4/head.hpp"
#include "mp4/index_walk.hpp"

namespace recording::mp4 {
namespace {

constexpr std::array kNoteKinds = {NoteKind::kMark, NoteKind::kEpoch, NoteKind::kRepairs};

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
    return tell_run({run.kind, run.samples, run.last_duration});
  }
  Status on_fragment(ByteView moof) {
    PerTrack<std::uint32_t> defaults{};
    for (media::TrackKind kind : kTrackOrder) {
      defaults[slot(kind)] = first_[slot(kind)] ? first_[slot(kind)]->default_duration : 0;
    }
    auto fragment = parse_fragment_header(moof, defaults);
    if (!fragment) {
      return std::move(fragment).error();
    }
    for (const RunView& run : fragment.value().views()) {
      RECORDING_TRY(tell_run(run));
    }
    return ok();
  }

 private:
  Status tell_run(const RunView& run) {
    const auto& track = first_[slot(run.kind)];
    if (!track) {
      return Error{Errc::kCorrupt, "samples of a track that no epoch has"};
    }
    if (visitor_.on_run && !run.samples.empty()) {
      visitor_.on_run(
          {run.kind, track->timescale, run.samples.size(), run.samples.front().dts, run.end_dts()});
    }
    return ok();
  }

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
        first = FirstSetup{track->timescale, track->default_duration};
      }
    }
    if (visitor_.on_epoch) {
      visitor_.on_epoch({offset, found.position_ms, offset + init_offset(payload, found),
                         found.init.size(), std::move(found)});
    }
    return ok();
  }

  // What the head says of a track, fixed when it enters the file.
  struct FirstSetup {
    std::uint32_t timescale, default_duration;
  };

  storage::File& file_;
  std::uint64_t limit_;
  const NoteVisitor& visitor_;
  PerTrack<std::optional<FirstSetup>> first_;
  Bytes buffer_;
};

Status read_finished(storage::File& file, const Head& head, NoteReader& reader) {
  Bytes buffer;
  if (head.final_moov < head.size + kTailBoxSize) {
    return Error{Errc::kCorrupt, "there is no tail box"};
  }
  auto payload =
      read_private_box(file, head.final_moov - kTailBoxSize, head.final_moov, kTailBox, buffer);
  if (!payload) {
    return std::move(payload).error();
  }
  auto tail = decode_tail(payload.value());
  if (!tail) {
    return std::move(tail).error();
  }
  auto walk = IndexWalk::open(file, tail.value().last_index, head.final_moov);
  if (!walk) {
    return std::move(walk).error();
  }
  return walk.value().run(reader, {});
}

Status read_growing(storage::File& file, std::uint64_t offset, std::uint64_t limit,
                    NoteReader& reader) {
  FileWindow window(file);
  while (offset < limit) {
    auto front = window.view(offset, std::min<std::uint64_t>(limit - offset, kPrivateHeader));
    if (!front) {
      return std::move(front).error();
    }
    const auto header = parse_box_header(front.value());
    if (!header || header->size > limit - offset) {
      return Error{Errc::kCorrupt, "a box that is not whole"};
    }
    const std::uint32_t kind = private_kind(front.value());
    const auto note = std::find_if(kNoteKinds.begin(), kNoteKinds.end(),
                                   [kind](NoteKind each) { return box_of(each) == kind; });
    if (note != kNoteKinds.end()) {
      RECORDING_TRY(reader.on_note({*note, offset}));
    } else if (header->type == fourcc("moof")) {
      if (header->size > kMaxHeaderBox) {
        return Error{Errc::kCorrupt, "a moof that is too long"};
      }
      auto moof = window.view(offset, static_cast<std::size_t>(header->size));
      if (!moof) {
        return std::move(moof).error();
      }
      if (moof.value().size() != header->size) {
        return Error{Errc::kCorrupt, "a moof that is not whole"};
      }
      RECORDING_TRY(reader.on_fragment(moof.value()));
    }
    offset += header->size;
  }
  return ok();
}

}  // namespace

Status read_notes(storage::File& file, std::uint64_t growing_length, const NoteVisitor& visitor) {
  auto head = read_head(file);
  if (!head) {
    return std::move(head).error();
  }
  const std::uint64_t limit = head.value().finished
                                  ? head.value().final_moov
                                  : std::min(growing_length, head.value().file_size);
  NoteReader reader(file, limit, visitor);
  return head.value().finished ? read_finished(file, head.value(), reader)
                               : read_growing(file, head.value().size, limit, reader);
}

}  // namespace recording::mp4
