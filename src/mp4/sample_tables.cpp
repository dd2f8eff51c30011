#include "mp4/sample_tables.hpp"

#include <algorithm>
#include <limits>

namespace recording::mp4 {

Status TrackTables::add(std::uint64_t offset, const RunView& run, std::uint32_t entry) {
  const auto count = static_cast<std::uint32_t>(run.samples.size());
  if (samples_ + count > std::numeric_limits<std::uint32_t>::max()) {
    return Error{Errc::kCorrupt, "more samples than a track can have"};
  }
  ++chunks_;
  sink_.chunk(offset);
  if (count != stsc_samples_ || entry != stsc_entry_) {
    stsc_samples_ = count;
    stsc_entry_ = entry;
    sink_.stsc(chunks_, count, entry);
  }
  for (const Sample& sample : run.samples) {
    if (samples_ == 0) {
      first_dts_ = sample.dts;
      first_cts_ = sample.cts;
    } else if (sample.dts <= last_dts_ || sample.dts - last_dts_ > kMaxStep) {
      return Error{Errc::kCorrupt, "the index tells times that do not rise"};
    } else {
      duration(last_dts_, last_cts_, sample.dts);
    }
    ++samples_;
    last_dts_ = sample.dts;
    last_cts_ = sample.cts;
    sink_.stsz(sample.size);
    if (sample.key) {
      sink_.stss(static_cast<std::uint32_t>(samples_));
    }
    if (sample.cts != ctts_value_ && ctts_count_ != 0) {
      sink_.ctts(ctts_count_, ctts_value_);
      ctts_count_ = 0;
    }
    ctts_value_ = sample.cts;
    ++ctts_count_;
  }
  last_duration_ = run.last_duration;
  return ok();
}

void TrackTables::duration(std::int64_t dts, std::uint32_t cts, std::int64_t end) {
  const auto value = static_cast<std::uint32_t>(end - dts);
  if (value != stts_value_ && stts_count_ != 0) {
    sink_.stts(stts_count_, stts_value_);
    stts_count_ = 0;
  }
  stts_value_ = value;
  ++stts_count_;
  end_pts_ = std::max(end_pts_, end + cts);
}

void TrackTables::close() {
  if (samples_ == 0) {
    return;
  }
  duration(last_dts_, last_cts_, end_dts());
  sink_.stts(stts_count_, stts_value_);
  sink_.ctts(ctts_count_, ctts_value_);
}

}  // namespace recording::mp4
