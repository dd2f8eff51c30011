#include "mp4/media_index.hpp"

#include "mp4/index_run.hpp"
#include "mp4/varint.hpp"

namespace recording::mp4 {
namespace {

Error bad() { return Error{Errc::kCorrupt, "an index box cannot be read"}; }

}  // namespace

void IndexBuilder::add_note(Note note) {
  put_u8(notes_, static_cast<std::uint8_t>(note.kind));
  put_u64(notes_, note.offset);
  ++header_.notes;
}

void IndexBuilder::add_fragment(std::uint64_t data_offset, std::span<const RunView> runs) {
  put_varint(entries_, data_offset - data_end_);
  data_end_ = data_offset;
  std::uint8_t tracks = 0;
  for (const RunView& run : runs) {
    tracks |= static_cast<std::uint8_t>(1U << slot(run.kind));
  }
  put_u8(entries_, tracks);
  for (const RunView& run : runs) {
    encode_run(entries_, run, next_dts_[slot(run.kind)]);
    next_dts_[slot(run.kind)] = run.end_dts();
    data_end_ += run.bytes();
  }
  ++header_.fragments;
}

void IndexBuilder::restart(std::uint64_t offset) {
  header_.previous = offset;
  header_.data_base = data_end_;
  header_.dts_base = next_dts_;
  header_.first_sequence += header_.fragments;
  header_.fragments = 0;
  header_.notes = 0;
  notes_.clear();
  entries_.clear();
}

Bytes IndexBuilder::payload() const {
  Bytes out;
  out.reserve(kIndexHeaderSize + size());
  put_u64(out, header_.previous);
  put_u64(out, header_.data_base);
  for (std::int64_t dts : header_.dts_base) {
    put_u64(out, static_cast<std::uint64_t>(dts));
  }
  put_u32(out, header_.first_sequence);
  put_u32(out, header_.fragments);
  put_u32(out, header_.notes);
  put_bytes(out, notes_);
  put_bytes(out, entries_);
  return out;
}

Result<IndexHeader> IndexReader::read_header(ByteView payload) {
  ByteReader in(payload);
  IndexHeader header;
  header.previous = in.u64();
  header.data_base = in.u64();
  for (std::int64_t& dts : header.dts_base) {
    dts = static_cast<std::int64_t>(in.u64());
    if (dts < 0 || dts > kMaxDts) {
      return bad();
    }
  }
  header.first_sequence = in.u32();
  header.fragments = in.u32();
  header.notes = in.u32();
  if (!in.ok()) {
    return bad();
  }
  return header;
}

Result<IndexReader> IndexReader::open(ByteView payload) {
  auto header = read_header(payload);
  if (!header) {
    return std::move(header).error();
  }
  IndexReader reader;
  reader.header_ = header.value();
  ByteReader in(payload.subspan(kIndexHeaderSize));
  if (reader.header_.notes > in.left() / kNoteSize) {
    return bad();
  }
  for (std::uint32_t i = 0; i < reader.header_.notes; ++i) {
    const std::uint8_t kind = in.u8();
    reader.notes_.push_back({static_cast<NoteKind>(kind), in.u64()});
    if (kind < 1 || kind > 3) {
      return bad();
    }
  }
  reader.rest_ = in.bytes(in.left());
  reader.fragments_left_ = reader.header_.fragments;
  reader.data_end_ = reader.header_.data_base;
  reader.next_dts_ = reader.header_.dts_base;
  return reader;
}

Status IndexReader::next(Fragment& fragment) {
  fragment.count = 0;
  if (fragments_left_ == 0) {
    return rest_.empty() ? ok() : bad();
  }
  VarintReader in(rest_);
  data_end_ += in.varint();
  const std::uint64_t tracks = in.varint();
  if (!in.ok() || tracks == 0 || tracks >= 1U << media::kTrackKinds) {
    return bad();
  }
  for (media::TrackKind kind : kTrackOrder) {
    if ((tracks >> slot(kind) & 1U) == 0) {
      continue;
    }
    IndexedRun& run = fragment.runs[fragment.count++];
    run.kind = kind;
    run.offset = data_end_;
    if (!decode_run(in, run, next_dts_[slot(kind)])) {
      return bad();
    }
    const RunView view{kind, run.samples, run.last_duration};
    next_dts_[slot(kind)] = view.end_dts();
    data_end_ += view.bytes();
  }
  rest_ = rest_.last(in.left());
  --fragments_left_;
  return ok();
}

}  // namespace recording::mp4
