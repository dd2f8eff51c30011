#include "mp4/recording_reader.hpp"

#include <algorithm>

#include "mp4/box_reader.hpp"
#include "mp4/head.hpp"
#include "mp4/index_walk.hpp"

namespace recording::mp4 {
namespace {

class NoteReader final : public IndexWalk::Visitor {
 public:
  NoteReader(storage::File& file, std::uint64_t limit, const NoteVisitor& visitor)
      : file_(file), limit_(limit), visitor_(visitor) {}

  Status on_note(const Note& note) override {
    const bool mark = note.kind == NoteKind::kMark;
    auto payload =
        read_private_box(file_, note.offset, limit_, mark ? kMarkBox : kEpochBox, buffer_);
    if (!payload) {
      return std::move(payload).error();
    }
    return mark ? tell_mark(note.offset, payload.value())
                : tell_epoch(note.offset, payload.value());
  }
  Status on_run(const IndexedRun&) override { return ok(); }

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

  Status tell_epoch(std::uint64_t offset, ByteView payload) {
    auto epoch = decode_epoch(payload);
    if (!epoch) {
      return std::move(epoch).error();
    }
    if (visitor_.on_epoch) {
      Epoch& found = epoch.value();
      visitor_.on_epoch({offset, found.position_ms, offset + init_offset(payload, found),
                         found.init.size(), std::move(found)});
    }
    return ok();
  }

  storage::File& file_;
  std::uint64_t limit_;
  const NoteVisitor& visitor_;
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
  return walk.value().run(reader, {}, true);
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
    if (kind == kMarkBox) {
      RECORDING_TRY(reader.on_note({NoteKind::kMark, offset}));
    } else if (kind == kEpochBox) {
      RECORDING_TRY(reader.on_note({NoteKind::kEpoch, offset}));
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
