#include "runtime/live_layout.hpp"

#include <algorithm>
#include <new>

#include "runtime/sip_hash.hpp"

namespace recording::runtime {
namespace {

constexpr std::size_t kAlignment = 64;  // each array on its own cache line

constexpr std::size_t aligned(std::size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

constexpr std::size_t kBytesPerSlot = 2 * sizeof(std::uint64_t) + 2 * sizeof(std::int64_t) +
                                      sizeof(std::uint64_t) + sizeof(std::int32_t) +
                                      sizeof(StreamRecord) + sizeof(RecordingRecord);
constexpr std::size_t kArrays = 8;
static_assert(aligned(sizeof(StateHeader)) + kArrays * kAlignment + 8 * kBytesPerSlot <
              kMinZoneBytes);

// The compiler must not move a store of the record over one of the log, nor the other way round.
// The processor's own order is not at stake: the kernel stops a process between two instructions.
void keep_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }

void copy_gauges(StreamRecord& to, const StreamRecord& from) {
  to.last_message_ms = from.last_message_ms;
  to.bytes_in = from.bytes_in;
  to.messages_in = from.messages_in;
  to.timestamp_repairs = from.timestamp_repairs;
  to.measured = from.measured;
}
void copy_gauges(RecordingRecord& to, const RecordingRecord& from) {
  to.committed_bytes = from.committed_bytes;
  to.last_index = from.last_index;
  to.duration_ms = from.duration_ms;
  to.lost_ms = from.lost_ms;
  to.suspect_from = from.suspect_from;
  to.unsafe_bytes = from.unsafe_bytes;
  to.waiting_bytes = from.waiting_bytes;
}
void copy_gauges(Shared& to, const Shared& from) {
  to.spool_free_bytes = from.spool_free_bytes;
  to.bytes_per_second = from.bytes_per_second;
  to.space_low = from.space_low;
}

bool same(const StreamRecord& a, const StreamRecord& b) {
  return a.in_use != 0 && b.in_use != 0 && a.session.id == b.session.id &&
         a.app.view() == b.app.view() && a.name.view() == b.name.view();
}
bool same(const RecordingRecord& a, const RecordingRecord& b) {
  return a.in_use != 0 && b.in_use != 0 && a.slug.view() == b.slug.view();
}

template <class Record>
void restore(Record& record, Record& image) {
  if (same(record, image)) {
    copy_gauges(image, record);
  }
  record = image;
}

bool in_range(const StateView& view, RecordKind kind, std::int32_t index) {
  switch (kind) {
    case RecordKind::kStream:
      return index >= 0 && index < view.stream_capacity();
    case RecordKind::kRecording:
      return index >= 0 && index < view.recording_capacity();
    case RecordKind::kShared:
      return true;
  }
  return false;
}

void refresh_keys(const StateView& view, RecordKind kind, std::int32_t index) {
  if (kind == RecordKind::kStream) {
    const StreamRecord& record = view.streams[index];
    bool used = record.in_use != 0;
    bool idle = used && record.session.id == 0 && record.recording == kNone;
    view.name_hash[index] = used ? key_of_name(record.app.view(), record.name.view()) : 0;
    view.stream_id[index] = used ? record.stream_id : 0;
    view.idle_since[index] = idle ? std::max<std::uint64_t>(record.last_used_ms, 1) : 0;
  } else if (kind == RecordKind::kRecording) {
    const RecordingRecord& record = view.recordings[index];
    bool used = record.in_use != 0;
    view.slug_hash[index] = used ? key_of_slug(record.slug.view()) : 0;
    view.video_id[index] = used ? record.video_id : 0;
    view.recording_stream[index] = used ? record.stream : kNone;
  }
}

std::uint32_t entries(const StateView& view) {
  return std::min(view.header->undo_count.load(std::memory_order_acquire), kUndoRecords);
}

void set_entries(const StateView& view, std::uint32_t count) {
  keep_order();
  view.header->undo_count.store(count, std::memory_order_release);
  keep_order();
}

}  // namespace

std::int32_t records_for_zone(std::uint64_t zone_bytes) {
  std::uint64_t fixed = aligned(sizeof(StateHeader)) + kArrays * kAlignment;
  return static_cast<std::int32_t>(
      std::min<std::uint64_t>((zone_bytes - fixed) / kBytesPerSlot, 1 << 24));
}

StateView view_of(void* mapping, std::int32_t capacity) {
  auto* at = static_cast<std::byte*>(mapping);
  auto count = static_cast<std::size_t>(capacity);
  auto take = [&at, count]<class T>(T*& array) {
    array = reinterpret_cast<T*>(at);
    at += aligned(count * sizeof(T));
  };
  StateView view;
  view.header = reinterpret_cast<StateHeader*>(at);
  at += aligned(sizeof(StateHeader));
  take(view.name_hash);
  take(view.stream_id);
  take(view.idle_since);
  take(view.slug_hash);
  take(view.video_id);
  take(view.recording_stream);
  take(view.streams);
  take(view.recordings);
  return view;
}

std::uint64_t key_of_name(std::string_view app, std::string_view name) {
  return hash_stream_name(app, name, 0x7374617465206b65u) | 1;
}

std::uint64_t key_of_slug(std::string_view slug) {
  SipHash hash(0x7374617465206b65u, 0x736c7567u);
  hash.add(slug);
  return hash.finish() | 1;
}

void undo_save(const StateView& view, RecordKind kind, std::int32_t index) {
  std::uint32_t count = entries(view);
  for (std::uint32_t i = 0; i < count; ++i) {
    const UndoEntry& entry = view.header->undo[i];
    if (entry.kind == kind && entry.index == index) {
      return;
    }
  }
  if (count == kUndoRecords) {
    undo_commit(view);
    count = 0;
  }
  UndoEntry& entry = view.header->undo[count];
  entry.kind = kind;
  entry.index = index;
  switch (kind) {
    case RecordKind::kStream:
      ::new (&entry.image.stream) StreamRecord(view.streams[index]);
      break;
    case RecordKind::kRecording:
      ::new (&entry.image.recording) RecordingRecord(view.recordings[index]);
      break;
    case RecordKind::kShared:
      ::new (&entry.image.shared) Shared(view.header->shared);
      break;
  }
  set_entries(view, count + 1);
}

void undo_refresh_keys(const StateView& view) {
  std::uint32_t count = entries(view);
  for (std::uint32_t i = 0; i < count; ++i) {
    const UndoEntry& entry = view.header->undo[i];
    if (in_range(view, entry.kind, entry.index)) {
      refresh_keys(view, entry.kind, entry.index);
    }
  }
}

void undo_commit(const StateView& view) {
  undo_refresh_keys(view);
  set_entries(view, 0);
}

void undo_roll_back(const StateView& view) {
  for (std::uint32_t i = entries(view); i > 0; --i) {
    UndoEntry& entry = view.header->undo[i - 1];
    if (!in_range(view, entry.kind, entry.index)) {
      continue;
    }
    switch (entry.kind) {
      case RecordKind::kStream:
        restore(view.streams[entry.index], entry.image.stream);
        break;
      case RecordKind::kRecording:
        restore(view.recordings[entry.index], entry.image.recording);
        break;
      case RecordKind::kShared:
        copy_gauges(entry.image.shared, view.header->shared);
        view.header->shared = entry.image.shared;
        break;
    }
  }
  undo_commit(view);
}

}  // namespace recording::runtime
