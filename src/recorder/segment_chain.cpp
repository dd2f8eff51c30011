#include "recorder/segment_chain.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace recording::recorder {
namespace {

// Copies `size` bytes out of a chain of pieces, remembering where it stopped.
class PieceCursor {
 public:
  explicit PieceCursor(media::Pieces pieces) : pieces_(pieces) {}

  void copy_to(std::uint8_t* out, std::size_t size) {
    while (size > 0) {
      const iovec& piece = pieces_[index_];
      const std::size_t take = std::min(size, piece.iov_len - offset_);
      if (take == 0) {  // an empty piece may have no address
        ++index_;
        continue;
      }
      std::memcpy(out, static_cast<const std::uint8_t*>(piece.iov_base) + offset_, take);
      out += take;
      size -= take;
      offset_ += take;
      if (offset_ == piece.iov_len) {
        ++index_;
        offset_ = 0;
      }
    }
  }

 private:
  media::Pieces pieces_;
  std::size_t index_ = 0, offset_ = 0;
};

}  // namespace

runtime::Segment SegmentPool::acquire(std::uint64_t session, std::uint64_t number) {
  if (journal_ != nullptr) {
    runtime::Segment segment = journal_->acquire(session, number);
    if (segment.data != nullptr) {
      return segment;
    }
  }
  auto* memory = static_cast<std::uint8_t*>(
      ::operator new (runtime::kSegmentSize, std::align_val_t{64}, std::nothrow));
  if (memory == nullptr) {
    return {};
  }
  auto* header = ::new (memory) runtime::SegmentHeader{};
  header->session = session;
  header->number = number;
  return {header, memory + runtime::kSegmentHeaderSize, false};
}

void SegmentPool::release(const runtime::Segment& segment) noexcept {
  if (abandoned_) {
    return;
  }
  if (segment.shared) {
    journal_->release(segment);
  } else {
    ::operator delete (static_cast<void*>(segment.header), std::align_val_t{64});
  }
}

bool SegmentChain::needs_segment(std::size_t size) const {
  return current_ == nullptr || used_ + aligned_record_size(size) > runtime::kSegmentData;
}

SegmentRef SegmentChain::open_segment() {
  runtime::Segment segment = pool_.acquire(session_, next_number_);
  if (segment.data == nullptr) {
    return nullptr;
  }
  ++next_number_;
  ++*held_;
  std::shared_ptr<std::size_t> held = held_;
  std::shared_ptr<std::size_t> fallback = segment.shared ? nullptr : private_;
  if (fallback) {
    ++*fallback;
  }
  return {new SegmentHold(pool_, segment), [held, fallback](SegmentHold* hold) {
            --*held;
            if (fallback) {
              --*fallback;
            }
            delete hold;
          }};
}

bool SegmentChain::append(RecordHeader header, media::Pieces payload) {
  if (needs_segment(header.total)) {
    return append_in_parts(header, payload);
  }
  // Nearly every message: one part, in the segment at hand.
  header.flags |= kFlagFirst | kFlagLast;
  header.size = header.total;
  std::uint8_t* at = filling_.data + used_;
  std::memcpy(at, &header, sizeof(header));
  PieceCursor(payload).copy_to(at + sizeof(header), header.total);
  used_ += static_cast<std::uint32_t>(aligned_record_size(header.total));
  filling_.header->committed.store(used_, std::memory_order_release);
  return true;
}

bool SegmentChain::append_in_parts(RecordHeader header, media::Pieces payload) {
  std::vector<RecordRange> parts;  // the segments before `segment`, then that
  PieceCursor cursor(payload);
  SegmentRef segment = current_;
  std::uint32_t used = used_;
  std::uint32_t begin = taken_;
  const std::uint64_t number_before = next_number_;
  std::size_t left = header.total;
  header.flags |= kFlagFirst;
  for (bool done = false; !done;) {
    // A part smaller than this is not worth a header at the end of a segment.
    constexpr std::size_t kSmallestPart = 256;
    const std::size_t room = segment == nullptr ? 0 : runtime::kSegmentData - used;
    const bool fits = aligned_record_size(left) <= room;
    if (!fits && room < sizeof(RecordHeader) + kSmallestPart) {
      if (segment != nullptr) {
        parts.push_back({std::move(segment), begin, used});
      }
      segment = open_segment();
      used = begin = 0;
      if (segment == nullptr) {
        next_number_ = number_before;  // what was opened is given back with `parts`
        return false;
      }
      continue;
    }
    const std::size_t take = fits ? left : ((room - sizeof(RecordHeader)) & ~std::size_t{7});
    header.size = static_cast<std::uint32_t>(take);
    left -= take;
    done = left == 0;
    if (done) {
      header.flags |= kFlagLast;
    }
    std::uint8_t* at = segment->segment().data + used;
    std::memcpy(at, &header, sizeof(header));
    cursor.copy_to(at + sizeof(header), take);
    used += static_cast<std::uint32_t>(aligned_record_size(take));
    header.flags &= static_cast<std::uint8_t>(~kFlagFirst);
  }

  // Only now is the record made to count, segment by segment in order: a reader that finds the last
  // part finds all the others.
  for (RecordRange& part : parts) {
    part.segment->segment().header->committed.store(part.end, std::memory_order_release);
    if (part.end > part.begin) {
      full_.push_back(std::move(part));
    }
  }
  current_ = std::move(segment);
  filling_ = current_->segment();
  used_ = used;
  taken_ = begin;
  filling_.header->committed.store(used_, std::memory_order_release);
  return true;
}

std::vector<RecordRange> SegmentChain::take() {
  if (used_ > taken_) {
    full_.push_back({current_, taken_, used_});
    taken_ = used_;
  }
  return std::exchange(full_, {});
}

}  // namespace recording::recorder
