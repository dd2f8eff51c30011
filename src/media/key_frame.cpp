#include "media/key_frame.hpp"

#include <cstring>

namespace recording::media {
namespace {

// H.264, table 7-1
enum NalType : std::uint8_t {
  kNalSlice = 1,
  kNalPartitionA = 2,
  kNalIdr = 5,
  kNalSps = 7,
  kNalPps = 8,
  kNalDelimiter = 9,
  kNalSpsExtension = 13,
  kNalSubsetSps = 15
};

constexpr std::size_t kLongestSets = 16384;

// A place in a row of pieces. Each step costs what it passes in pieces, not in bytes.
class Cursor {
 public:
  explicit Cursor(Pieces pieces) : pieces_(pieces) {
    for (const iovec& piece : pieces) {
      left_ += piece.iov_len;
    }
  }

  [[nodiscard]] std::uint64_t left() const { return left_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }

  // All of these need left() >= the number of bytes.
  std::uint64_t big_endian(unsigned size) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
      value = value << 8 | peek();
      skip(1);
    }
    return value;
  }
  std::uint8_t peek() {
    while (offset_ == pieces_[index_].iov_len) {
      ++index_;
      offset_ = 0;
    }
    return static_cast<const std::uint8_t*>(pieces_[index_].iov_base)[offset_];
  }
  void skip(std::uint64_t size) {
    each(size, [](const std::uint8_t*, std::size_t) {});
  }
  void copy(std::uint64_t size, Bytes& out) {
    each(size, [&out](const std::uint8_t* bytes, std::size_t count) {
      out.insert(out.end(), bytes, bytes + count);
    });
  }
  // The first bytes of the next `size`.
  void copy_to(std::span<std::uint8_t> out, std::uint64_t size) {
    std::size_t done = 0;
    each(size < out.size() ? size : out.size(), [&](const std::uint8_t* bytes, std::size_t count) {
      std::memcpy(out.data() + done, bytes, count);
      done += count;
    });
  }

 private:
  template <class Use>
  void each(std::uint64_t size, Use use) {
    left_ -= size;
    position_ += size;
    while (size > 0) {
      const iovec& piece = pieces_[index_];
      const std::size_t here = piece.iov_len - offset_;
      if (here == 0) {
        ++index_;
        offset_ = 0;
        continue;
      }
      const std::size_t take = size < here ? static_cast<std::size_t>(size) : here;
      use(static_cast<const std::uint8_t*>(piece.iov_base) + offset_, take);
      offset_ += take;
      size -= take;
    }
  }

  Pieces pieces_;
  std::size_t index_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t position_ = 0;
};

// Steps behind the next length. False: there is none, or it reaches past the end.
bool next_nal(Cursor& at, std::uint8_t nal_length_size, std::uint64_t& size) {
  if (nal_length_size == 0 || nal_length_size > 4 || at.left() < nal_length_size) {
    return false;
  }
  size = at.big_endian(nal_length_size);
  return size <= at.left();
}

}  // namespace

AccessUnitLayout inspect_access_unit(Pieces sample, std::uint8_t nal_length_size) {
  AccessUnitLayout layout;
  Cursor at(sample);
  for (bool first = true; at.left() > 0;) {
    std::uint64_t size = 0;
    if (!next_nal(at, nal_length_size, size)) {
      layout.well_formed = false;
      return layout;
    }
    if (size == 0) {  // a length without a NAL: some encoders pad with it
      continue;
    }
    switch (at.peek() & 0x1F) {
      case kNalIdr:
        layout.idr = true;
        [[fallthrough]];
      case kNalSlice:
      case kNalPartitionA:
        if (layout.slice[0] == 0) {
          Cursor(at).copy_to(layout.slice, size);
        }
        break;
      case kNalSps:
      case kNalSpsExtension:
      case kNalSubsetSps:
        layout.sets_at = at.position() + size;
        [[fallthrough]];
      case kNalPps:
        if (layout.sets.size() + size > kLongestSets) {
          layout.well_formed = false;
          return layout;
        }
        put_u32(layout.sets, static_cast<std::uint32_t>(size));
        Cursor(at).copy(size, layout.sets);
        break;
      case kNalDelimiter:
        // H.264, 7.4.1.2.3: the delimiter is the first NAL of its access unit
        if (first) {
          layout.sets_at = at.position() + size;
        }
        break;
      default:
        break;
    }
    first = false;
    at.skip(size);
  }
  return layout;
}

Bytes widen_nal_lengths(Pieces sample, std::uint8_t nal_length_size) {
  Bytes out;
  Cursor at(sample);
  out.reserve(at.left() + 64);
  while (at.left() > 0) {
    std::uint64_t size = 0;
    if (!next_nal(at, nal_length_size, size)) {
      return {};
    }
    put_u32(out, static_cast<std::uint32_t>(size));
    at.copy(size, out);
  }
  return out;
}

}  // namespace recording::media
