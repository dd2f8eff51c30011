#include "mp4/index_walk.hpp"

#include "mp4/private_boxes.hpp"

namespace recording::mp4 {
namespace {

Status visit(ByteView payload, IndexWalk::Visitor& visitor, IndexReader::Fragment& fragment) {
  auto reader = IndexReader::open(payload);
  if (!reader) {
    return std::move(reader).error();
  }
  const std::vector<Note>& notes = reader.value().notes();
  std::size_t told = 0;
  for (;;) {
    RECORDING_TRY(reader.value().next(fragment));
    if (fragment.count == 0) {
      break;
    }
    for (; told < notes.size() && notes[told].offset < fragment.runs[0].offset; ++told) {
      RECORDING_TRY(visitor.on_note(notes[told]));
    }
    for (std::size_t i = 0; i < fragment.count; ++i) {
      RECORDING_TRY(visitor.on_run(fragment.runs[i]));
    }
  }
  for (; told < notes.size(); ++told) {
    RECORDING_TRY(visitor.on_note(notes[told]));
  }
  return ok();
}

}  // namespace

Result<IndexWalk> IndexWalk::open(storage::File& file, std::uint64_t last, std::uint64_t limit) {
  IndexWalk walk(file, limit);
  Bytes front(kPrivateHeader + kIndexHeaderSize);
  for (std::uint64_t before = limit; last != 0;) {
    // Each one is in front of the one that names it, so the chain ends.
    if (last >= before) {
      return Error{Errc::kCorrupt, "an index box names one behind it"};
    }
    RECORDING_TRY(read_exactly(file, front, last));
    auto header = IndexReader::read_header(ByteView(front).subspan(kPrivateHeader));
    if (!header || private_kind(front) != kIndexBox) {
      return Error{Errc::kCorrupt, "an index box is not where it should be"};
    }
    walk.boxes_.push_back(last);
    before = last;
    last = header.value().previous;
  }
  return walk;
}

Status IndexWalk::run(Visitor& visitor, ByteView newest) const {
  Bytes buffer;
  IndexReader::Fragment fragment;
  for (auto at = boxes_.rbegin(); at != boxes_.rend(); ++at) {
    auto payload = read_private_box(*file_, *at, limit_, kIndexBox, buffer);
    if (!payload) {
      return std::move(payload).error();
    }
    RECORDING_TRY(visit(payload.value(), visitor, fragment));
  }
  return newest.empty() ? ok() : visit(newest, visitor, fragment);
}

}  // namespace recording::mp4
