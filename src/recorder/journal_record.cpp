#include "recorder/journal_record.hpp"

#include <algorithm>
#include <cstring>

namespace recording::recorder {
namespace {

// Takes parts one after the other and gives a record when its last part has come.
class PartJoiner {
 public:
  // False: the parts do not fit together; what was gathered is forgotten.
  bool add(const RecordHeader& part, const std::uint8_t* payload) {
    if ((part.flags & kFlagFirst) != 0) {
      header_ = part;
      pieces_.clear();
      gathered_ = 0;
      open_ = true;
    }
    if (!open_ || part.type != header_.type || part.kind != header_.kind ||
        part.ordinal != header_.ordinal || part.total != header_.total) {
      open_ = false;
      return false;
    }
    if (part.size > 0) {
      pieces_.push_back({const_cast<std::uint8_t*>(payload), part.size});
    }
    gathered_ += part.size;
    complete_ = (part.flags & kFlagLast) != 0;
    if (complete_ && gathered_ != header_.total) {
      open_ = false;
      return false;
    }
    return true;
  }

  [[nodiscard]] bool complete() const { return open_ && complete_; }
  LeftSample take() {
    open_ = false;
    return {header_, std::move(pieces_)};
  }

 private:
  RecordHeader header_;
  std::vector<iovec> pieces_;
  std::size_t gathered_ = 0;
  bool open_ = false, complete_ = false;
};

Bytes joined(const std::vector<iovec>& pieces) {
  Bytes bytes;
  for (const iovec& piece : pieces) {
    put_bytes(bytes, {static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len});
  }
  return bytes;
}

}  // namespace

LeftRecords read_left_records(const std::vector<runtime::LeftSegment>& segments) {
  LeftRecords left;
  PartJoiner joiner;
  for (const runtime::LeftSegment& segment : segments) {
    const auto take = [&](const RecordHeader& header, const std::uint8_t* payload) {
      if (joiner.add(header, payload) && joiner.complete()) {
        LeftRecords::Entry entry;
        entry.sample = joiner.take();
        entry.type = entry.sample.header.type;
        if (entry.type == RecordType::kConfig) {
          if (!media::decode(joined(entry.sample.payload), entry.config)) {
            entry.config = {};
          }
        } else if (entry.type == RecordType::kRepair) {
          const Bytes bytes = joined(entry.sample.payload);
          std::memcpy(&entry.repair, bytes.data(), std::min(bytes.size(), sizeof(entry.repair)));
        }
        left.entries.push_back(std::move(entry));
      }
    };
    if (!for_each_record(segment.data, take)) {
      return left;
    }
  }
  return left;
}

}  // namespace recording::recorder
