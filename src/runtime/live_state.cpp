#include "runtime/live_state.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <ctime>
#include <utility>
#include <vector>

#include "runtime/live_layout.hpp"
#include "runtime/live_state_file.hpp"
#include "runtime/sys_error.hpp"

namespace recording::runtime {
namespace {

// A transaction takes microseconds. What may take long is that its holder is given a processor
// again on an overloaded machine, and giving up then would refuse a call that had only to wait.
constexpr time_t kLockTimeoutS = 1;

// Clock's monotonic_ms(): what everybody on this machine means by last_used_ms.
std::uint64_t now_ms() {
  struct timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
}

struct timespec lock_deadline() {
  struct timespec at = {};
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += kLockTimeoutS;
  return at;
}

template <class T>
std::int32_t find_key(const T* keys, std::int32_t count, T key) {
  for (std::int32_t i = 0; i < count; ++i) {
    if (keys[i] == key) {
      return i;
    }
  }
  return kNone;
}

}  // namespace

struct LiveState::Mapping {
  Mapping(const MappedFile& mapped_file)
      : file(mapped_file),
        view(view_of(file.address, static_cast<StateHeader*>(file.address)->stream_capacity)),
        referenced(static_cast<std::size_t>(view.stream_capacity())) {}
  ~Mapping() { ::munmap(file.address, file.size); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] bool has_stream(std::int32_t index) const {
    return index >= 0 && index < view.stream_capacity() && view.streams[index].in_use != 0;
  }
  [[nodiscard]] bool has_recording(std::int32_t index) const {
    return index >= 0 && index < view.recording_capacity() && view.recordings[index].in_use != 0;
  }

  MappedFile file;
  StateView view;
  // Room to work in, under the lock: no allocation while it is held.
  std::vector<std::uint8_t> referenced;
  StreamRecord no_stream;  // what a caller changes who breaks the contract
  RecordingRecord no_recording;
};

LiveState::LiveState(std::unique_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}
LiveState::~LiveState() = default;

Result<std::unique_ptr<LiveState>> LiveState::open(const std::string& directory,
                                                   std::uint64_t zone_bytes) {
  Result<MappedFile> mapped = map_live_state(directory, zone_bytes);
  if (!mapped) {
    return std::move(mapped).error().wrap("live state");
  }
  return std::unique_ptr<LiveState>(new LiveState(std::make_unique<Mapping>(mapped.value())));
}

std::uint64_t LiveState::zone_bytes() const { return mapping_->view.header->zone_bytes; }
std::int32_t LiveState::stream_capacity() const { return mapping_->view.stream_capacity(); }
std::int32_t LiveState::recording_capacity() const { return mapping_->view.recording_capacity(); }

StreamRecord* LiveState::stream_gauges(std::int32_t index) {
  return index >= 0 && index < stream_capacity() ? &mapping_->view.streams[index] : nullptr;
}

RecordingRecord* LiveState::recording_gauges(std::int32_t index) {
  return index >= 0 && index < recording_capacity() ? &mapping_->view.recordings[index] : nullptr;
}

Shared* LiveState::shared_gauges() { return &mapping_->view.header->shared; }

Metrics& LiveState::metrics() { return mapping_->view.header->metrics; }

Result<LiveState::Transaction> LiveState::begin() {
  const StateView& view = mapping_->view;
  struct timespec deadline = lock_deadline();
  int error = ::pthread_mutex_clocklock(&view.header->mutex, CLOCK_MONOTONIC, &deadline);
  switch (error) {
    case 0:
      break;
    case EOWNERDEAD:
      // The order matters: killed in here too, the next one does it again.
      undo_roll_back(view);
      ::pthread_mutex_consistent(&view.header->mutex);
      break;
    case ETIMEDOUT:
      return Error{Errc::kUnavailable, "the live state is locked by another process", error};
    case EDEADLK:
      return Error{Errc::kInternal, "a transaction inside a transaction", error};
    default:
      return sys_error("lock the live state", error);
  }
  return Transaction(this);
}

LiveState::Transaction::Transaction(Transaction&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)) {}

LiveState::Transaction::~Transaction() {
  if (state_ != nullptr) {
    const StateView& view = state_->mapping_->view;
    undo_commit(view);
    ::pthread_mutex_unlock(&view.header->mutex);
  }
}

const StreamRecord* LiveState::Transaction::stream(std::int32_t index) const {
  const Mapping& mapping = *state_->mapping_;
  return mapping.has_stream(index) ? &mapping.view.streams[index] : nullptr;
}

const RecordingRecord* LiveState::Transaction::recording(std::int32_t index) const {
  const Mapping& mapping = *state_->mapping_;
  return mapping.has_recording(index) ? &mapping.view.recordings[index] : nullptr;
}

std::int32_t LiveState::Transaction::find_stream(std::string_view app,
                                                 std::string_view name) const {
  const StateView& view = state_->mapping_->view;
  undo_refresh_keys(view);
  std::uint64_t key = key_of_name(app, name);
  for (std::int32_t i = 0; i < view.stream_capacity(); ++i) {
    if (view.name_hash[i] == key && view.streams[i].app.view() == app &&
        view.streams[i].name.view() == name) {
      return i;
    }
  }
  return kNone;
}

std::int32_t LiveState::Transaction::find_stream(std::int64_t stream_id) const {
  const StateView& view = state_->mapping_->view;
  undo_refresh_keys(view);
  return stream_id == 0 ? kNone : find_key(view.stream_id, view.stream_capacity(), stream_id);
}

std::int32_t LiveState::Transaction::find_recording_by_slug(std::string_view slug) const {
  const StateView& view = state_->mapping_->view;
  undo_refresh_keys(view);
  std::uint64_t key = key_of_slug(slug);
  for (std::int32_t i = 0; i < view.recording_capacity() && !slug.empty(); ++i) {
    if (view.slug_hash[i] == key && view.recordings[i].slug.view() == slug) {
      return i;
    }
  }
  return kNone;
}

std::int32_t LiveState::Transaction::find_recording_by_video(std::int64_t video_id) const {
  const StateView& view = state_->mapping_->view;
  undo_refresh_keys(view);
  return video_id == 0 ? kNone : find_key(view.video_id, view.recording_capacity(), video_id);
}

void LiveState::Transaction::for_each_stream(
    const std::function<void(std::int32_t, const StreamRecord&)>& visit) const {
  const StateView& view = state_->mapping_->view;
  undo_refresh_keys(view);
  for (std::int32_t i = 0; i < view.stream_capacity(); ++i) {
    if (view.name_hash[i] != 0) {
      visit(i, view.streams[i]);
    }
  }
}

void LiveState::Transaction::for_each_recording(
    const std::function<void(std::int32_t, const RecordingRecord&)>& visit) const {
  const StateView& view = state_->mapping_->view;
  undo_refresh_keys(view);
  for (std::int32_t i = 0; i < view.recording_capacity(); ++i) {
    if (view.slug_hash[i] != 0) {
      visit(i, view.recordings[i]);
    }
  }
}

StreamRecord& LiveState::Transaction::edit_stream(std::int32_t index) {
  Mapping& mapping = *state_->mapping_;
  if (!mapping.has_stream(index)) {
    return mapping.no_stream;
  }
  undo_save(mapping.view, RecordKind::kStream, index);
  return mapping.view.streams[index];
}

RecordingRecord& LiveState::Transaction::edit_recording(std::int32_t index) {
  Mapping& mapping = *state_->mapping_;
  if (!mapping.has_recording(index)) {
    return mapping.no_recording;
  }
  undo_save(mapping.view, RecordKind::kRecording, index);
  return mapping.view.recordings[index];
}

const Shared& LiveState::Transaction::shared() const {
  return state_->mapping_->view.header->shared;
}

Shared& LiveState::Transaction::edit_shared() {
  const StateView& view = state_->mapping_->view;
  undo_save(view, RecordKind::kShared, 0);
  return view.header->shared;
}

// A slot that is free, or that of the stream that can make room; kNone: there is none.
std::int32_t LiveState::Transaction::slot_for_stream() {
  Mapping& mapping = *state_->mapping_;
  const StateView& view = mapping.view;
  std::int32_t slot = find_key<std::uint64_t>(view.name_hash, view.stream_capacity(), 0);
  if (slot != kNone) {
    return slot;
  }
  // A settled recording that the catalogue has not confirmed needs its stream although the stream
  // is idle.
  mapping.referenced.assign(mapping.referenced.size(), 0);
  for (std::int32_t i = 0; i < view.recording_capacity(); ++i) {
    std::int32_t stream = view.recording_stream[i];
    if (stream >= 0 && stream < view.stream_capacity()) {
      mapping.referenced[static_cast<std::size_t>(stream)] = 1;
    }
  }
  for (std::int32_t i = 0; i < view.stream_capacity(); ++i) {
    if (view.idle_since[i] != 0 && mapping.referenced[static_cast<std::size_t>(i)] == 0 &&
        (slot == kNone || view.idle_since[i] < view.idle_since[slot])) {
      slot = i;
    }
  }
  return slot;
}

Result<std::int32_t> LiveState::Transaction::ensure_stream(std::string_view app,
                                                           std::string_view name) {
  // A name is an identity: cut, it would be another stream's.
  if (app.size() > sizeof(StreamRecord::app.bytes) ||
      name.size() > sizeof(StreamRecord::name.bytes)) {
    return Error{Errc::kInvalidArgument,
                 "the name of an application or a stream is longer than 256 bytes"};
  }
  std::int32_t index = find_stream(app, name);
  if (index != kNone) {
    edit_stream(index).last_used_ms = now_ms();
    return index;
  }
  index = slot_for_stream();
  if (index == kNone) {
    return Error{Errc::kUnavailable, "the zone is full: every stream in it is in use"};
  }
  const StateView& view = state_->mapping_->view;
  StreamRecord& record = view.streams[index];
  if (record.in_use != 0 && record.fence > view.header->fence_floor) {
    view.header->fence_floor = record.fence;
  }
  undo_save(view, RecordKind::kStream, index);
  record = StreamRecord();
  record.in_use = 1;
  record.app.assign(app);
  record.name.assign(name);
  record.fence = view.header->fence_floor;
  record.last_used_ms = now_ms();
  return index;
}

Result<std::int32_t> LiveState::Transaction::add_recording() {
  const StateView& view = state_->mapping_->view;
  undo_refresh_keys(view);
  std::int32_t index = find_key<std::uint64_t>(view.slug_hash, view.recording_capacity(), 0);
  if (index == kNone) {
    return Error{Errc::kUnavailable, "the zone is full: every recording in it is in use"};
  }
  undo_save(view, RecordKind::kRecording, index);
  view.recordings[index] = RecordingRecord();
  view.recordings[index].in_use = 1;
  return index;
}

void LiveState::Transaction::remove_recording(std::int32_t index) {
  if (state_->mapping_->has_recording(index)) {
    edit_recording(index) = RecordingRecord();
  }
}

void LiveState::Transaction::stock_video_ids(std::int64_t first, std::int64_t end) {
  Shared& shared = edit_shared();
  shared.video_ids.next = first;
  shared.video_ids.end = end;
}

std::int64_t LiveState::Transaction::take_video_id() {
  const IdBlock& ids = state_->mapping_->view.header->shared.video_ids;
  if (ids.next >= ids.end) {
    return 0;
  }
  return edit_shared().video_ids.next++;
}

}  // namespace recording::runtime
