#include "recorder/journal_record.hpp"

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

Bytes encode_config(const media::TrackConfig& config) {
  Bytes out;
  put_u8(out, static_cast<std::uint8_t>(config.codec));
  put_u32(out, config.timescale);
  put_u32(out, config.default_duration);
  put_u32(out, config.width);
  put_u32(out, config.height);
  put_u32(out, config.sar_num);
  put_u32(out, config.sar_den);
  put_u32(out, config.sample_rate);
  put_u16(out, config.channels);
  put_bytes(out, config.record);
  return out;
}

media::TrackConfig decode_config(ByteView payload) {
  ByteReader in(payload);
  media::TrackConfig config;
  config.codec = static_cast<media::Codec>(in.u8());
  config.timescale = in.u32();
  config.default_duration = in.u32();
  config.width = in.u32();
  config.height = in.u32();
  config.sar_num = in.u32();
  config.sar_den = in.u32();
  config.sample_rate = in.u32();
  config.channels = in.u16();
  const ByteView record = in.bytes(in.left());
  if (!in.ok() || config.timescale == 0) {
    return {};
  }
  config.record.assign(record.begin(), record.end());
  return config;
}

LeftRecords read_left_records(const std::vector<runtime::LeftSegment>& segments) {
  LeftRecords left;
  PartJoiner joiner;
  for (const runtime::LeftSegment& segment : segments) {
    std::size_t at = 0;
    while (at + sizeof(RecordHeader) <= segment.data.size()) {
      RecordHeader header;
      std::memcpy(&header, segment.data.data() + at, sizeof(header));
      if (aligned_record_size(header.size) > segment.data.size() - at) {
        return left;
      }
      if (joiner.add(header, segment.data.data() + at + sizeof(header)) && joiner.complete()) {
        LeftRecords::Entry entry;
        entry.sample = joiner.take();
        entry.is_config = entry.sample.header.type == RecordType::kConfig;
        if (entry.is_config) {
          entry.config = decode_config(joined(entry.sample.payload));
        }
        left.entries.push_back(std::move(entry));
      }
      at += aligned_record_size(header.size);
    }
  }
  return left;
}

}  // namespace recording::recorder
