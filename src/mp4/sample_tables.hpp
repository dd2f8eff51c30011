#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "mp4/media_index.hpp"

namespace recording::mp4 {

// Where the rows of a track's sample tables go (ISO/IEC 14496-12, 8.6 and 8.7), each when it is
// known to be complete. Rows of one table come in order.
class TableSink {
 public:
  virtual ~TableSink() = default;
  virtual void stts(std::uint32_t count, std::uint32_t duration) = 0;
  virtual void ctts(std::uint32_t count, std::uint32_t offset) = 0;
  virtual void stsc(std::uint32_t first_chunk, std::uint32_t samples, std::uint32_t entry) = 0;
  virtual void stsz(std::uint32_t size) = 0;
  virtual void stss(std::uint32_t number) = 0;
  virtual void chunk(std::uint64_t offset) = 0;
};

// Turns the runs of one track into table rows. A duration is known when the next sample's dts is,
// in whatever fragment, so that timing is exact; equal neighbours become one row.
class TrackTables {
 public:
  explicit TrackTables(TableSink& sink) : sink_(sink) {}

  // `offset`: of the run's first byte in the file; `entry`: number of the sample entry that
  // describes the run, from 1 on.
  Status add(std::uint64_t offset, const RunView& run, std::uint32_t entry);
  // After the last run.
  void close();

  [[nodiscard]] std::uint64_t samples() const { return samples_; }
  [[nodiscard]] std::int64_t first_dts() const { return first_dts_; }
  [[nodiscard]] std::uint32_t first_cts() const { return first_cts_; }
  [[nodiscard]] std::int64_t end_dts() const { return last_dts_ + last_duration_; }
  // When the sample that is shown last is over.
  [[nodiscard]] std::int64_t end_pts() const { return end_pts_; }

 private:
  void duration(std::int64_t dts, std::uint32_t cts, std::int64_t end);

  TableSink& sink_;
  std::uint64_t samples_ = 0;
  std::uint32_t chunks_ = 0;
  std::int64_t first_dts_ = 0, last_dts_ = 0, end_pts_ = 0;
  std::uint32_t first_cts_ = 0, last_cts_ = 0, last_duration_ = 0;
  std::uint32_t stts_count_ = 0, stts_value_ = 0;
  std::uint32_t ctts_count_ = 0, ctts_value_ = 0;
  std::uint32_t stsc_samples_ = 0, stsc_entry_ = 0;
};

}  // namespace recording::mp4
