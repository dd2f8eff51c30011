#include "mp4/clip_layout.hpp"

#include <algorithm>
#include <utility>

#include "mp4/moov_writer.hpp"
#include "mp4/private_boxes.hpp"

namespace recording::mp4 {
namespace {

constexpr std::uint64_t kWideMdatHeader = 16;

// Bytes in memory as the place where a moov is written to.
class BytesFile final : public storage::File {
 public:
  explicit BytesFile(std::size_t size) : bytes_(size) {}

  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override {
    for (const iovec& piece : pieces) {
      if (offset > bytes_.size() || piece.iov_len > bytes_.size() - offset) {
        return Error{Errc::kInternal, "a moov is longer than was counted"};
      }
      std::copy_n(static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len,
                  bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
      offset += piece.iov_len;
    }
    return ok();
  }
  Result<std::size_t> read_at(std::span<std::uint8_t>, std::uint64_t) override { return refuse(); }
  Status sync() override { return refuse(); }
  Status truncate(std::uint64_t) override { return refuse(); }
  Result<std::uint64_t> size() override { return std::uint64_t{bytes_.size()}; }

  Bytes take() { return std::move(bytes_); }

 private:
  static Error refuse() { return {Errc::kInternal, "a moov in memory is only written"}; }

  Bytes bytes_;
};

class ClipLayout final : public ServedLayout {
 public:
  ClipLayout(bool finished, Bytes front, std::uint64_t media_offset, std::uint64_t media_size)
      : finished_(finished),
        front_(std::move(front)),
        media_offset_(media_offset),
        media_size_(media_size) {}

  [[nodiscard]] bool finished() const override { return finished_; }
  [[nodiscard]] std::uint64_t length() const override { return front_.size() + media_size_; }
  [[nodiscard]] std::uint64_t memory_length() const override { return front_.size(); }
  [[nodiscard]] std::uint64_t media_offset() const override { return media_offset_; }

  Status read(std::span<std::uint8_t> into, std::uint64_t offset) const override {
    return copy_exactly(front_, into, offset);
  }
  [[nodiscard]] ByteView held() const override { return front_; }

 private:
  bool finished_;
  Bytes front_;
  std::uint64_t media_offset_, media_size_;
};

}  // namespace

Result<std::unique_ptr<ServedLayout>> open_clip_layout(storage::File& file, const Head& head,
                                                       const Committed& committed,
                                                       const Clip& clip) {
  const std::uint64_t limit = committed.length;
  Bytes buffer;
  auto payload = read_private_box(file, head.size, limit, kIdentityBox, buffer);
  if (!payload) {
    return std::move(payload).error();
  }
  auto identity = decode_identity(payload.value());
  if (!identity) {
    return std::move(identity).error();
  }
  auto walk = IndexWalk::open(file, head, committed);
  if (!walk) {
    return std::move(walk).error();
  }
  auto selection = select_clip(file, walk.value(), clip);
  if (!selection) {
    return std::move(selection).error();
  }
  const MoovRequest request{file, walk.value(), selection.value()};
  auto tally = count_moov(request);
  if (!tally) {
    return std::move(tally).error();
  }
  const auto [tracks, media_begin, media_end] = tally.value();
  if (media_end > limit) {
    return Error{Errc::kCorrupt, "an index tells of bytes that are not in the file"};
  }
  const std::uint64_t others = head.placeholder + kWideMdatHeader + (media_end - media_begin);
  const MoovPlan plan =
      plan_moov(tracks, identity.value().started_wall_ms, selection.value().shown, others);
  const std::uint64_t front_size = head.placeholder + plan.size + kWideMdatHeader;
  BytesFile front(static_cast<std::size_t>(front_size));
  RECORDING_TRY(write_moov(request, plan, front, head.placeholder, front_size - media_begin));
  Bytes bytes = front.take();
  std::copy_n(head.image.begin(), head.placeholder, bytes.begin());
  Bytes mdat;  // ISO/IEC 14496-12, 4.2: a 64-bit size
  put_u32(mdat, 1);
  put_u32(mdat, fourcc("mdat"));
  put_u64(mdat, kWideMdatHeader + (media_end - media_begin));
  std::copy(mdat.begin(), mdat.end(), bytes.end() - static_cast<std::ptrdiff_t>(mdat.size()));
  return std::unique_ptr<ServedLayout>(std::make_unique<ClipLayout>(
      head.finished, std::move(bytes), media_begin, media_end - media_begin));
}

}  // namespace recording::mp4
