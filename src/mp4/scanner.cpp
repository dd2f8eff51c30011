#include "mp4/scanner.hpp"

#include <algorithm>

#include "mp4/box_reader.hpp"
#include "mp4/fragment_header.hpp"

namespace recording::mp4 {
namespace {

constexpr std::size_t kMdatHeader = 8;

class Scanner {
 public:
  Scanner(storage::File& file, Scan& found, std::uint64_t limit)
      : window_(file), found_(found), limit_(limit) {}

  // Takes box after box; an Error is one of the file system's.
  Status run() {
    for (bool whole = true; whole;) {
      auto step = next();
      if (!step) {
        return std::move(step).error();
      }
      whole = step.value();
    }
    return ok();
  }

  [[nodiscard]] bool complete() const {
    return has_identity_ && found_.state.epochs() > 0 && found_.state.last_mark().has_value();
  }

 private:
  // False: the box at found_.end is not whole, or not one that recording goes on behind.
  Result<bool> next() {
    auto repairs = repairs_size();
    if (!repairs) {
      return std::move(repairs).error();
    }
    const std::uint64_t begin = found_.end + repairs.value();
    const std::uint64_t left = limit_ - std::min(limit_, begin);
    auto front = window_.view(begin, std::min<std::uint64_t>(left, kPrivateHeader));
    if (!front) {
      return std::move(front).error();
    }
    const auto header = parse_box_header(front.value());
    if (!header || header->size > left || header->size > kMaxHeaderBox) {
      return false;
    }
    const std::uint32_t kind = private_kind(front.value());
    const bool fragment = header->type == fourcc("moof");
    if (!fragment && (kind == 0 || repairs.value() != 0)) {
      return false;
    }
    const auto size = static_cast<std::size_t>(header->size);
    auto box = window_.view(begin, std::min<std::uint64_t>(left, size + kMdatHeader));
    if (!box) {
      return std::move(box).error();
    }
    if (box.value().size() < size) {
      return false;
    }
    return fragment ? take_fragment(box.value(), begin, size, left)
                    : take_private(kind, box.value().first(size));
  }

  // Of a box of repairs at found_.end, which is whole only with the fragment behind it; 0: none.
  Result<std::uint64_t> repairs_size() {
    const std::uint64_t left = limit_ - std::min(limit_, found_.end);
    auto front = window_.view(found_.end, std::min<std::uint64_t>(left, kPrivateHeader));
    if (!front) {
      return std::move(front).error();
    }
    const auto header = parse_box_header(front.value());
    if (!header || private_kind(front.value()) != kRepairBox || header->size > left ||
        header->size > kMaxHeaderBox) {
      return std::uint64_t{0};
    }
    auto box = window_.view(found_.end, static_cast<std::size_t>(header->size));
    if (!box) {
      return std::move(box).error();
    }
    const auto payload = private_payload(box.value());
    return payload && decode_repairs(*payload) ? header->size : std::uint64_t{0};
  }

  bool take_fragment(ByteView bytes, std::uint64_t begin, std::size_t moof_size,
                     std::uint64_t left) {
    auto parsed = parse_fragment_header(bytes.first(moof_size), found_.state.trex_durations());
    if (!parsed) {
      return false;
    }
    const ParsedFragment& fragment = parsed.value();
    const auto mdat = parse_box_header(bytes.subspan(moof_size));
    if (!mdat || mdat->type != fourcc("mdat") || mdat->header_size != kMdatHeader ||
        mdat->size != kMdatHeader + fragment.media_bytes || mdat->size > left - moof_size ||
        fragment.sequence != found_.state.next_sequence()) {
      return false;
    }
    const std::vector<RunView> views = fragment.views();
    for (const RunView& run : views) {
      if (!found_.state.track(run.kind)) {
        return false;
      }
    }
    if (found_.state.refuse(views) != nullptr) {
      return false;
    }
    if (begin != found_.end) {
      found_.state.on_repairs(found_.end);
    }
    found_.state.on_fragment(begin, begin + moof_size + kMdatHeader, views);
    found_.end = begin + moof_size + mdat->size;
    found_.media_end = found_.end;
    return true;
  }

  bool take_private(std::uint32_t kind, ByteView box) {
    const auto payload = private_payload(box);
    // Behind a tail comes the moov of an interrupted finish(); repairs are no box of their own.
    if (!payload || kind == kTailBox || kind == kRepairBox) {
      return false;
    }
    if (!take_payload(kind, *payload)) {
      return false;
    }
    found_.end += box.size();
    return true;
  }

  bool take_payload(std::uint32_t kind, ByteView payload) {
    FileState& state = found_.state;
    if (kind == kIdentityBox) {
      auto identity = decode_identity(payload);
      has_identity_ = static_cast<bool>(identity);
      state.identity = has_identity_ ? std::move(identity).value() : Identity{};
      return has_identity_;
    }
    if (kind == kEpochBox) {
      return take_epoch(payload);
    }
    if (kind == kMarkBox) {
      auto mark = decode_mark(payload);
      if (mark) {
        state.on_mark(mark.value(), found_.end);
      }
      return static_cast<bool>(mark);
    }
    if (kind == kIndexBox) {
      auto header = IndexReader::read_header(payload);
      const bool ours = header && header.value().previous == state.index().previous() &&
                        header.value().fragments == state.index().fragments();
      if (ours) {
        state.on_index(found_.end);
      }
      return ours;
    }
    if (kind == kHeadCopyBox) {
      if (!fits_head(payload, found_.head)) {
        return false;
      }
      found_.init.assign(payload.begin(), payload.end());
    }
    return true;  // one of a later version of this software: kept
  }

  bool take_epoch(ByteView payload) {
    auto epoch = decode_epoch(payload);
    if (!epoch) {
      return false;
    }
    if (found_.init.empty()) {
      if (!fits_head(epoch.value().init, found_.head)) {
        return false;
      }
      found_.init = epoch.value().init;  // the first epoch is what the head began as
    }
    found_.state.on_epoch(epoch.value(), found_.end);
    return true;
  }

  FileWindow window_;
  Scan& found_;
  std::uint64_t limit_;
  bool has_identity_ = false;
};

}  // namespace

Result<Scan> scan(storage::File& file, std::uint64_t limit) {
  auto head = read_head(file);
  if (!head) {
    return std::move(head).error();
  }
  Scan found;
  found.head = std::move(head).value();
  found.end = found.head.size;
  found.media_end = found.end;
  limit = std::min(limit, found.head.finished ? found.head.final_moov : found.head.file_size);
  Scanner scanner(file, found, limit);
  RECORDING_TRY(scanner.run());
  if (!scanner.complete()) {
    return Error{Errc::kCorrupt, "the beginning of the file is not whole"};
  }
  return found;
}

}  // namespace recording::mp4
