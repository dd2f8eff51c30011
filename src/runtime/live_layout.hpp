#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/metrics.hpp"
#include "runtime/records.hpp"

// How the live state lies in its file, and how a half-made change is taken back. Private to this
// layer (and its tests); a change here is a new kLayoutVersion too.
namespace recording::runtime {

inline constexpr std::uint64_t kMinZoneBytes = 64 * 1024;

// How many records a transaction may change and still be one. See LiveState::Transaction.
inline constexpr std::uint32_t kUndoRecords = 16;

enum class RecordKind : std::uint32_t { kStream, kRecording, kShared };

struct UndoEntry {
  RecordKind kind;
  std::int32_t index;
  union Image {
    Image() {}  // filled when it is used
    StreamRecord stream;
    RecordingRecord recording;
    Shared shared;
  } image;
};

struct StateHeader {
  char magic[8];
  std::uint32_t layout_version;
  std::uint32_t header_size;  // with the sizes below: another compiler's layout is another layout
  std::uint32_t stream_size;
  std::uint32_t recording_size;
  char boot_id[40];
  std::uint64_t zone_bytes;  // the size of the file
  std::int32_t stream_capacity;
  std::int32_t recording_capacity;

  alignas(64) pthread_mutex_t mutex;
  // The fence of a record that made room for another name lives on here, so that the fence of a
  // name that comes back is higher. Only grows, so there is nothing to undo.
  std::uint64_t fence_floor;
  Shared shared;
  Metrics metrics;
  std::atomic<std::uint32_t> undo_count;  // entries that are complete; 0: nothing to take back
  UndoEntry undo[kUndoRecords];
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// Where things are in one process' mapping. The keys are what the look-ups scan, side by side
// (a scan over the records would touch a cache line of each). They are derived from the records and
// written when a change is complete, or taken back.
struct StateView {
  StateHeader* header = nullptr;
  // For each stream:
  std::uint64_t* name_hash = nullptr;   // never 0 for a record in use
  std::int64_t* stream_id = nullptr;    // 0: not known
  std::uint64_t* idle_since = nullptr;  // 0: not idle, or not in use
  // For each recording:
  std::uint64_t* slug_hash = nullptr;        // never 0 for a record in use
  std::int64_t* video_id = nullptr;          // 0: none
  std::int32_t* recording_stream = nullptr;  // kNone: not in use
  StreamRecord* streams = nullptr;
  RecordingRecord* recordings = nullptr;

  [[nodiscard]] std::int32_t stream_capacity() const { return header->stream_capacity; }
  [[nodiscard]] std::int32_t recording_capacity() const { return header->recording_capacity; }
};

// As many recordings as streams: a live stream has one, and those whose outcome the catalogue has
// not confirmed take the place of streams that are idle.
std::int32_t records_for_zone(std::uint64_t zone_bytes);
StateView view_of(void* mapping, std::int32_t capacity);

std::uint64_t key_of_name(std::string_view app, std::string_view name);
std::uint64_t key_of_slug(std::string_view slug);

// The undo log. Caller holds the mutex. What a process was killed in the middle of is seen by the
// next holder in program order: the order of the stores is all that matters, and fences keep it.
//
// Saves the record before its first change. With the log full, what was changed so far is made
// final first.
void undo_save(const StateView& view, RecordKind kind, std::int32_t index);
// Brings the keys of the records in the log up to date.
void undo_refresh_keys(const StateView& view);
void undo_commit(const StateView& view);
// Takes back what the log holds. May be killed and called again. Gauges are not taken back, since
// their owner goes on writing them without the lock; only a record that is not the same one any
// more (its slot was given to another) gets those of the record it was.
void undo_roll_back(const StateView& view);

}  // namespace recording::runtime
