#include "recorder/batch.hpp"

namespace recording::recorder {

BatchSamples::BatchSamples(const Batch& batch) {
  for (const media::TrackKind kind : kBothKinds) {
    const std::size_t i = index_of(kind);
    samples[i].reserve(batch.count[i]);
    pieces[i].reserve(batch.count[i] + batch.records.size());
  }
  for (const RecordRange& range : batch.records) {
    for_each_record(range.bytes(), [&](const RecordHeader& header, const std::uint8_t* payload) {
      if (header.type != RecordType::kSample) {
        return;
      }
      const std::size_t i = index_of(header.kind);
      if ((header.flags & kFlagFirst) != 0) {
        samples[i].push_back(
            {header.dts, header.cts, header.total, (header.flags & kFlagKey) != 0});
      }
      if (header.size > 0) {
        pieces[i].push_back({const_cast<std::uint8_t*>(payload), header.size});
      }
    });
  }
}

}  // namespace recording::recorder
