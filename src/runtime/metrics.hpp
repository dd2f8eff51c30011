#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

// What is counted for recording_metrics. It lies in the live state's file, so all workers add to
// the same numbers, and these outlive the workers; they begin at 0 with a new file. Adding takes no
// lock and is not undone with a transaction. Any thread.
namespace recording::runtime {

struct Counter {
  std::atomic<std::uint64_t> value{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  void add(std::uint64_t n = 1) noexcept { value.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value.load(std::memory_order_relaxed); }
};

// Since it was made.
class Stopwatch {
 public:
  [[nodiscard]] std::uint64_t us() const noexcept {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now() - began_)
                                          .count());
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// Upper ends of the buckets; one more bucket has what took longer.
inline constexpr std::array<std::uint64_t, 14> kDurationBoundsUs = {
    1'000,   2'500,   5'000,     10'000,    25'000,    50'000,     100'000,
    250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000};

struct DurationHistogram {
  std::array<Counter, kDurationBoundsUs.size() + 1> buckets;  // each its own, not cumulated
  Counter sum_us;

  void add(std::uint64_t us) noexcept {
    std::size_t i = 0;
    while (i < kDurationBoundsUs.size() && us > kDurationBoundsUs[i]) {
      ++i;
    }
    buckets[i].add();
    sum_us.add(us);
  }
};

// How an interruption ended.
enum class InterruptionEnd : std::uint8_t { kResumed, kEnded, kStopped };
inline constexpr std::array<std::string_view, 3> kInterruptionEnds = {"resumed", "ended",
                                                                      "stopped"};

// Why a recording was not kept.
inline constexpr std::array<std::string_view, 5> kDiscardReasons = {
    "too_short", "nothing_received", "removed", "unreadable", "other"};

inline constexpr std::size_t kMostSourceFields = 24;  // media::kParameterFields
inline constexpr std::size_t kMostRepairKinds = 8;    // media::RepairKind

struct Metrics {
  Counter bytes, write_errors;
  Counter live_dropped;  // groups of pictures that a transcoder was too slow for
  std::array<Counter, kInterruptionEnds.size()> interruptions;
  std::array<Counter, kDiscardReasons.size()> discarded;
  std::array<Counter, kMostSourceFields> source_changes;
  std::array<Counter, kMostRepairKinds> timestamp_repairs;
  DurationHistogram writes, finalizations;

  void count(InterruptionEnd how) noexcept { interruptions[static_cast<std::size_t>(how)].add(); }
  void count_discarded(std::string_view reason) noexcept {
    std::size_t i = 0;
    while (i + 1 < kDiscardReasons.size() && kDiscardReasons[i] != reason) {
      ++i;
    }
    discarded[i].add();
  }
};

}  // namespace recording::runtime
