#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/bytes.hpp"
#include "media/timestamp_repair.hpp"
#include "media/track_config.hpp"
#include "mp4/sample.hpp"
#include "runtime/journal.hpp"

// What lies in a journal segment: records, each a header and its payload, 8-byte aligned. It is
// read by another process of the same machine and boot only, so the layout is the compiler's.
namespace recording::recorder {

// kRepair: a media::TimestampRepair of the sample of the same number, which comes next.
enum class RecordType : std::uint8_t { kSample = 1, kConfig = 2, kRepair = 3 };

inline constexpr std::uint8_t kFlagKey = 1;
inline constexpr std::uint8_t kFlagFirst = 2;  // a record over several segments: its first part,
inline constexpr std::uint8_t kFlagLast = 4;   // and its last

struct RecordHeader {
  std::uint32_t size = 0;   // of the payload behind this header
  std::uint32_t total = 0;  // of the payload of all parts
  RecordType type = RecordType::kSample;
  media::TrackKind kind = media::TrackKind::kVideo;
  std::uint8_t flags = 0;
  std::uint8_t codec = 0;      // kConfig: media::Codec
  std::uint32_t cts = 0;       // ticks
  std::uint32_t duration = 0;  // ticks: what the sample is expected to last
  std::uint32_t timescale = 0;
  std::int64_t dts = 0;       // ticks, of the session
  std::uint64_t ordinal = 0;  // of the sample among its kind, in this session
};
static_assert(sizeof(RecordHeader) == 40);

inline constexpr std::size_t aligned_record_size(std::size_t payload) {
  return (sizeof(RecordHeader) + payload + 7) & ~std::size_t{7};
}

// Calls visit(header, payload) for each record, or part of one, that lies in `bytes`. False: they
// end in the middle of one.
template <class Visit>
bool for_each_record(ByteView bytes, Visit visit) {
  while (bytes.size() >= sizeof(RecordHeader)) {
    RecordHeader header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    const std::size_t size = aligned_record_size(header.size);
    if (size > bytes.size()) {
      return false;
    }
    visit(header, bytes.data() + sizeof(header));
    bytes = bytes.subspan(size);
  }
  return true;
}

// One sample found in the journal; `payload` points into what was read.
struct LeftSample {
  RecordHeader header;
  std::vector<iovec> payload;
};
// All whole samples of the segments, in the order they were taken, and the configurations as they
// were at each. Records after a damaged one are dropped.
struct LeftRecords {
  struct Entry {
    RecordType type = RecordType::kSample;
    media::TrackConfig config;      // kConfig
    media::TimestampRepair repair;  // kRepair
    LeftSample sample;              // kSample; of the others the header only
  };
  std::vector<Entry> entries;
};
LeftRecords read_left_records(const std::vector<runtime::LeftSegment>& segments);

}  // namespace recording::recorder
