#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "runtime/metrics.hpp"
#include "runtime/records.hpp"

namespace recording::runtime {

// The live state: {runtime}/state, one mapped tmpfs file shared by all workers of all generations
// and masters on this machine. Records of fixed size, no allocator. A process-shared robust mutex
// guards it and is held for copies only, never for I/O. Every record is copied into an undo area in
// the file before it is changed, so a worker killed at any instruction inside the lock leaves a
// change that the next one rolls back (EOWNERDEAD).
//
// Event loop or any thread; no call blocks longer than the lock (bounded: kUnavailable after 100
// ms).
class LiveState {
 public:
  // Opens or creates the file; kInvalidArgument: less than 64 KiB. A file of another layout
  // version, boot or with a broken header is set aside (renamed state.{n}.old) and a new one made.
  // `zone_bytes` sizes a new one only; zone_bytes() tells what the existing one has.
  static Result<std::unique_ptr<LiveState>> open(const std::string& directory,
                                                 std::uint64_t zone_bytes);
  ~LiveState();
  LiveState(const LiveState&) = delete;
  LiveState& operator=(const LiveState&) = delete;

  [[nodiscard]] std::uint64_t zone_bytes() const;
  [[nodiscard]] std::int32_t stream_capacity() const;
  [[nodiscard]] std::int32_t recording_capacity() const;

  // The lock, held. Everything changed through it becomes visible as one when it goes. One at a
  // time in a thread (kInternal), and no change of a record after the transaction.
  //
  // Up to 16 records changed are all or nothing even if the process is killed. With the 17th, the
  // ones before it become final first: who changes many changes records that have nothing to do
  // with one another (and takes a reference again before he changes an earlier record once more).
  //
  // The gauges of a record are not part of this: a change that is taken back leaves them as their
  // owner last set them.
  class Transaction {
   public:
    Transaction(Transaction&& other) noexcept;
    ~Transaction();  // commits

    // Reading: nullptr where the index is not in use. Valid while the transaction lives.
    [[nodiscard]] const StreamRecord* stream(std::int32_t index) const;
    [[nodiscard]] const RecordingRecord* recording(std::int32_t index) const;
    [[nodiscard]] std::int32_t find_stream(std::string_view app, std::string_view name) const;
    [[nodiscard]] std::int32_t find_stream(std::int64_t stream_id) const;
    [[nodiscard]] std::int32_t find_recording_by_slug(std::string_view slug) const;
    [[nodiscard]] std::int32_t find_recording_by_video(std::int64_t video_id) const;
    void for_each_stream(const std::function<void(std::int32_t, const StreamRecord&)>& visit) const;
    void for_each_recording(
        const std::function<void(std::int32_t, const RecordingRecord&)>& visit) const;

    [[nodiscard]] const Shared& shared() const;

    // Changing: the record is saved for undo first. The index must be in use.
    StreamRecord& edit_stream(std::int32_t index);
    RecordingRecord& edit_recording(std::int32_t index);
    Shared& edit_shared();

    // A record for the name, found or made, and marked as used now. When all are taken, the idle
    // one (no session, no recording, none that is not settled yet) used longest ago makes room;
    // kUnavailable when there is none: the zone is full. kInvalidArgument: the application's or the
    // stream's name is longer than 256 bytes. The fence of a record that is made is not lower than
    // that of any record which made room.
    Result<std::int32_t> ensure_stream(std::string_view app, std::string_view name);
    Result<std::int32_t> add_recording();  // in_use set, rest default; kUnavailable: zone full
    void remove_recording(std::int32_t index);

    // A new lease of video ids, up to `end`. What was left of the one before is given up: numbers
    // have gaps, and nobody minds.
    void stock_video_ids(std::int64_t first, std::int64_t end);
    // The next leased video id; 0 when the lease is used up.
    std::int64_t take_video_id();

   private:
    friend class LiveState;
    explicit Transaction(LiveState* state) : state_(state) {}
    [[nodiscard]] std::int32_t slot_for_stream();
    LiveState* state_;
  };

  // kUnavailable: somebody else held the lock for a second.
  Result<Transaction> begin();

  // The gauges of a record one holds, without the lock. Never nullptr for an index in range.
  [[nodiscard]] StreamRecord* stream_gauges(std::int32_t index);
  [[nodiscard]] RecordingRecord* recording_gauges(std::int32_t index);
  [[nodiscard]] Shared* shared_gauges();
  [[nodiscard]] Metrics& metrics();

 private:
  struct Mapping;
  explicit LiveState(std::unique_ptr<Mapping> mapping);
  std::unique_ptr<Mapping> mapping_;
};

}  // namespace recording::runtime
