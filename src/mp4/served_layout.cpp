#include "mp4/served_layout.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "mp4/box_reader.hpp"
#include "mp4/box_writer.hpp"
#include "mp4/clip_layout.hpp"
#include "mp4/head.hpp"

namespace recording::mp4 {
namespace {

Error bad(const char* what) { return Error{Errc::kCorrupt, std::string("final moov: ") + what}; }

// ---------------------------------------------------------------- a file that grows

// The head is memory because a later track or finish() changes it under a long download; what is
// behind it never changes.
class GrowingLayout final : public ServedLayout {
 public:
  GrowingLayout(Bytes head, std::uint64_t length) : head_(std::move(head)), length_(length) {}

  [[nodiscard]] bool finished() const override { return false; }
  [[nodiscard]] std::uint64_t length() const override { return length_; }
  [[nodiscard]] std::uint64_t memory_length() const override { return head_.size(); }
  [[nodiscard]] std::uint64_t media_offset() const override { return head_.size(); }

  Status read(std::span<std::uint8_t> into, std::uint64_t offset) const override {
    return copy_exactly(head_, into, offset);
  }
  [[nodiscard]] ByteView held() const override { return head_; }

 private:
  Bytes head_;
  std::uint64_t length_;
};

// ---------------------------------------------------------------- a finished file

// The chunk offsets of one track (ISO/IEC 14496-12, 8.7.5), at `begin` of what is sent.
struct OffsetTable {
  std::uint64_t begin = 0, end = 0;
  std::uint32_t width = 4;  // stco, or 8: co64
};

class FinishedLayout final : public ServedLayout {
 public:
  FinishedLayout(std::shared_ptr<storage::File> file, const Head& head,
                 std::vector<OffsetTable> tables)
      : file_(std::move(file)),
        ftyp_(head.image.begin(),
              head.image.begin() + static_cast<std::ptrdiff_t>(head.placeholder)),
        moov_offset_(head.final_moov),
        moov_size_(head.file_size - head.final_moov),
        media_offset_(head.placeholder + kPlaceholderSize),
        tables_(std::move(tables)) {
    put_u32(mdat_, 1);
    put_u32(mdat_, fourcc("mdat"));
    put_u64(mdat_, kPlaceholderSize + moov_offset_ - media_offset_);
  }

  [[nodiscard]] bool finished() const override { return true; }
  [[nodiscard]] std::uint64_t length() const override {
    return memory_length() + moov_offset_ - media_offset_;
  }
  [[nodiscard]] std::uint64_t memory_length() const override {
    return ftyp_.size() + moov_size_ + mdat_.size();
  }
  [[nodiscard]] std::uint64_t media_offset() const override { return media_offset_; }

  Status read(std::span<std::uint8_t> into, std::uint64_t offset) const override {
    if (offset > memory_length() || into.size() > memory_length() - offset) {
      return Error{Errc::kInvalidArgument, "read behind the header of mdat"};
    }
    copy_part(into, offset, ftyp_, 0);
    copy_part(into, offset, mdat_, ftyp_.size() + moov_size_);
    return read_moov(into, offset);
  }

 private:
  // Copies what `part`, which is at `at` of what is sent, has for [offset, offset + into.size()).
  static void copy_part(std::span<std::uint8_t> into, std::uint64_t offset, ByteView part,
                        std::uint64_t at) {
    const std::uint64_t from = std::max(offset, at);
    const std::uint64_t to = std::min(offset + into.size(), at + part.size());
    if (from < to) {
      std::memcpy(into.data() + (from - offset), part.data() + (from - at),
                  static_cast<std::size_t>(to - from));
    }
  }

  Status read_moov(std::span<std::uint8_t> into, std::uint64_t offset) const {
    const std::uint64_t moov_at = ftyp_.size();
    const std::uint64_t from = std::max(offset, moov_at);
    const std::uint64_t to = std::min(offset + into.size(), moov_at + moov_size_);
    if (from >= to) {
      return ok();
    }
    const auto piece =
        into.subspan(static_cast<std::size_t>(from - offset), static_cast<std::size_t>(to - from));
    RECORDING_TRY(read_exactly(*file_, piece, moov_offset_ + from - moov_at));
    for (const OffsetTable& table : tables_) {
      RECORDING_TRY(patch(piece, from - moov_at, table));
    }
    return ok();
  }

  // Moves the offsets of `table` that lie in [at, at + piece.size()) of moov. One that lies in it
  // with a part only is read from the file as a whole.
  Status patch(std::span<std::uint8_t> piece, std::uint64_t at, const OffsetTable& table) const {
    const std::uint64_t end = std::min(at + piece.size(), table.end);
    std::uint64_t entry = table.begin;
    if (at > table.begin) {
      entry += (at - table.begin) / table.width * table.width;
    }
    for (; entry < end; entry += table.width) {
      if (entry >= at && entry + table.width <= at + piece.size()) {
        move(piece.subspan(static_cast<std::size_t>(entry - at), table.width));
        continue;
      }
      std::array<std::uint8_t, 8> whole{};
      const auto bytes = std::span(whole).first(table.width);
      RECORDING_TRY(read_exactly(*file_, bytes, moov_offset_ + entry));
      move(bytes);
      copy_part(piece, at, bytes, entry);
    }
    return ok();
  }

  // The media moves by what now comes before it: the moov, whose place behind it is free.
  void move(std::span<std::uint8_t> offset) const {
    std::uint64_t value = moov_size_;
    std::uint64_t old = 0;
    for (std::uint8_t byte : offset) {
      old = old << 8 | byte;
    }
    value += old;
    for (std::size_t i = offset.size(); i-- > 0; value >>= 8) {
      offset[i] = static_cast<std::uint8_t>(value);
    }
  }

  std::shared_ptr<storage::File> file_;
  Bytes ftyp_, mdat_;
  std::uint64_t moov_offset_, moov_size_, media_offset_;
  std::vector<OffsetTable> tables_;
};

// Looks for the chunk offset tables by the headers of the boxes; reads nothing of their bodies.
class TableFinder {
 public:
  TableFinder(storage::File& file, const Head& head) : window_(file), moov_(head.final_moov) {}

  Status find(std::uint64_t begin, std::uint64_t end) { return walk(begin, end, 0); }
  std::vector<OffsetTable> take() { return std::move(tables_); }

 private:
  static constexpr int kDeepest = 4;             // moov, trak, mdia, minf, stbl
  static constexpr std::size_t kMaxTables = 64;  // we write two
  static constexpr int kMaxBoxes = 1024;

  Status walk(std::uint64_t begin, std::uint64_t end, int depth) {
    static constexpr std::array kPath = {fourcc("trak"), fourcc("mdia"), fourcc("minf"),
                                         fourcc("stbl")};
    while (begin < end) {
      auto bytes = window_.view(begin, 16);
      if (!bytes) {
        return std::move(bytes).error();
      }
      const auto header = parse_box_header(bytes.value());
      if (!header || header->size > end - begin || ++boxes_ > kMaxBoxes) {
        return bad("a box that is not whole");
      }
      if (depth < kDeepest && header->type == kPath[static_cast<std::size_t>(depth)]) {
        RECORDING_TRY(walk(begin + header->header_size, begin + header->size, depth + 1));
      } else if (depth == kDeepest &&
                 (header->type == fourcc("stco") || header->type == fourcc("co64"))) {
        RECORDING_TRY(add(begin, *header));
      }
      begin += header->size;
    }
    return ok();
  }

  Status add(std::uint64_t begin, const BoxHeader& header) {
    auto bytes = window_.view(begin + header.header_size, 8);
    if (!bytes) {
      return std::move(bytes).error();
    }
    ByteReader in(bytes.value());
    in.skip(4);
    const std::uint64_t count = in.u32();
    OffsetTable table;
    table.width = header.type == fourcc("co64") ? 8 : 4;
    table.begin = begin + header.header_size + 8 - moov_;
    table.end = table.begin + count * table.width;
    if (!in.ok() || table.end > begin + header.size - moov_ || tables_.size() == kMaxTables) {
      return bad("chunk offsets");
    }
    tables_.push_back(table);
    return ok();
  }

  FileWindow window_;
  std::uint64_t moov_;
  std::vector<OffsetTable> tables_;
  int boxes_ = 0;
};

Result<std::unique_ptr<ServedLayout>> open_finished(std::shared_ptr<storage::File> file,
                                                    const Head& head) {
  TableFinder finder(*file, head);
  RECORDING_TRY(finder.find(head.final_moov + 8, head.file_size));
  return std::unique_ptr<ServedLayout>(
      std::make_unique<FinishedLayout>(std::move(file), head, finder.take()));
}

}  // namespace

Status ServedLayout::copy_exactly(ByteView all, std::span<std::uint8_t> into,
                                  std::uint64_t offset) {
  if (offset > all.size() || into.size() > all.size() - offset) {
    return Error{Errc::kInvalidArgument, "read behind what is in memory"};
  }
  std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
  return ok();
}

Result<std::unique_ptr<ServedLayout>> ServedLayout::open(std::shared_ptr<storage::File> file,
                                                         const Committed& committed,
                                                         const std::optional<Clip>& clip) {
  auto found = read_head(*file);
  if (!found) {
    return std::move(found).error();
  }
  Head& head = found.value();
  if (head.finished) {
    return clip ? open_clip_layout(*file, head, head.final_moov, *clip)
                : open_finished(std::move(file), head);
  }
  if (!head.whole) {  // read while a later track was being added to it, or torn and not repaired
                      // yet
    return Error{Errc::kUnavailable, "the head of the file is being rewritten"};
  }
  if (committed.length < head.size || committed.length > head.file_size) {
    return Error{Errc::kUnavailable, "nothing of this length is in the file"};
  }
  if (clip) {
    return open_clip_layout(*file, head, committed, *clip);
  }
  return std::unique_ptr<ServedLayout>(
      std::make_unique<GrowingLayout>(std::move(head.image), committed.length));
}

}  // namespace recording::mp4
