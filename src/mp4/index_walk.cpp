#include "mp4/index_walk.hpp"

#include <algorithm>
#include <limits>

#include "mp4/index_tip.hpp"
#include "mp4/private_boxes.hpp"

namespace recording::mp4 {
namespace {

constexpr std::int64_t kNoDts = std::numeric_limits<std::int64_t>::max();

Result<std::uint64_t> last_index_of_finished(storage::File& file, const Head& head) {
  if (head.final_moov < head.size + kTailBoxSize) {
    return Error{Errc::kCorrupt, "there is no tail box"};
  }
  Bytes buffer;
  auto payload =
      read_private_box(file, head.final_moov - kTailBoxSize, head.final_moov, kTailBox, buffer);
  if (!payload) {
    return std::move(payload).error();
  }
  auto tail = decode_tail(payload.value());
  if (!tail) {
    return std::move(tail).error();
  }
  return tail.value().last_index;
}

}  // namespace

Result<IndexWalk> IndexWalk::open(storage::File& file, std::uint64_t last, std::uint64_t limit,
                                  Bytes newest) {
  IndexWalk walk(file, limit);
  walk.newest_ = std::move(newest);
  RECORDING_TRY(walk.find_boxes(last));
  return walk;
}

Result<IndexWalk> IndexWalk::open(storage::File& file, const Head& head,
                                  const Committed& committed) {
  if (head.finished) {
    auto last = last_index_of_finished(file, head);
    return last ? open(file, last.value(), head.final_moov, {})
                : Result<IndexWalk>(std::move(last).error());
  }
  auto tip = read_index_tip(file, head, committed);
  if (!tip) {
    return std::move(tip).error();
  }
  return open(file, tip.value().last_index, committed.length, std::move(tip.value().newest));
}

Status IndexWalk::find_boxes(std::uint64_t last) {
  Bytes front(kPrivateHeader + kIndexHeaderSize);
  for (std::uint64_t before = limit_; last != 0;) {
    // Each one is in front of the one that names it, so the chain ends.
    if (last >= before) {
      return Error{Errc::kCorrupt, "an index box names one behind it"};
    }
    RECORDING_TRY(read_exactly(*file_, front, last));
    auto header = IndexReader::read_header(ByteView(front).subspan(kPrivateHeader));
    if (!header || private_kind(front) != kIndexBox) {
      return Error{Errc::kCorrupt, "an index box is not where it should be"};
    }
    boxes_.push_back({last, header.value().dts_base, header.value().notes});
    before = last;
    last = header.value().previous;
  }
  std::reverse(boxes_.begin(), boxes_.end());
  return ok();
}

// An index box lies behind the fragments that it tells of.
std::uint64_t IndexWalk::begin_offset(std::size_t i) const {
  return i == 0 ? 0 : boxes_[i - 1].offset;
}
std::uint64_t IndexWalk::end_offset(std::size_t i) const {
  return i < boxes_.size() ? boxes_[i].offset : limit_;
}
// What the first run is told from is where it was expected: what comes may be earlier by as much as
// the sample before it was expected to last.
std::int64_t IndexWalk::begin_dts(std::size_t i, media::TrackKind kind) const {
  constexpr std::int64_t kLongSample = 10 * std::int64_t{media::kVideoTimescale};
  return i < boxes_.size() ? boxes_[i].dts[slot(kind)] - kLongSample : 0;
}
std::int64_t IndexWalk::end_dts(std::size_t i, media::TrackKind kind) const {
  return i + 1 < boxes_.size() ? boxes_[i + 1].dts[slot(kind)] : kNoDts;
}

Status IndexWalk::visit_payload(ByteView payload, Visitor& visitor) {
  auto reader = IndexReader::open(payload);
  if (!reader) {
    return std::move(reader).error();
  }
  const std::vector<Note>& notes = reader.value().notes();
  std::size_t told = 0;
  for (;;) {
    RECORDING_TRY(reader.value().next(fragment_));
    if (fragment_.count == 0) {
      break;
    }
    for (; told < notes.size() && notes[told].offset < fragment_.runs[0].offset; ++told) {
      RECORDING_TRY(visitor.on_note(notes[told]));
    }
    for (std::size_t i = 0; i < fragment_.count; ++i) {
      RECORDING_TRY(visitor.on_run(fragment_.runs[i]));
    }
  }
  for (; told < notes.size(); ++told) {
    RECORDING_TRY(visitor.on_note(notes[told]));
  }
  return ok();
}

Status IndexWalk::visit(std::size_t i, Visitor& visitor) {
  if (i >= boxes_.size()) {
    return visit_payload(newest_, visitor);
  }
  auto payload = read_private_box(*file_, boxes_[i].offset, limit_, kIndexBox, buffer_);
  if (!payload) {
    return std::move(payload).error();
  }
  return visit_payload(payload.value(), visitor);
}

Status IndexWalk::visit_notes(std::size_t i, Visitor& visitor) {
  ByteView front(newest_);
  if (i < boxes_.size()) {
    if (boxes_[i].notes == 0) {
      return ok();
    }
    const std::uint64_t size = kIndexHeaderSize + std::uint64_t{boxes_[i].notes} * kNoteSize;
    const std::uint64_t offset = boxes_[i].offset + kPrivateHeader;
    if (size > kMaxHeaderBox || offset + size > limit_) {
      return Error{Errc::kCorrupt, "an index box tells of more than there is"};
    }
    buffer_.resize(static_cast<std::size_t>(size));
    RECORDING_TRY(read_exactly(*file_, buffer_, offset));
    front = buffer_;
  }
  auto reader = IndexReader::open(front);
  if (!reader) {
    return std::move(reader).error();
  }
  for (const Note& note : reader.value().notes()) {
    RECORDING_TRY(visitor.on_note(note));
  }
  return ok();
}

Status IndexWalk::visit_all(Visitor& visitor) {
  for (std::size_t i = 0; i < size(); ++i) {
    RECORDING_TRY(visit(i, visitor));
  }
  return ok();
}

}  // namespace recording::mp4
