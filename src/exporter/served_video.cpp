#include "exporter/served_video.hpp"

#include <algorithm>
#include <utility>

namespace recording::exporter {
namespace {

constexpr std::uint64_t kHeadSize = 16 * 1024;
constexpr int kHeadReads = 3;

// A finished file as it is on disk.
class RawLayout final : public mp4::ServedLayout {
 public:
  explicit RawLayout(std::uint64_t length) : length_(length) {}

  [[nodiscard]] bool finished() const override { return true; }
  [[nodiscard]] std::uint64_t length() const override { return length_; }
  [[nodiscard]] std::uint64_t memory_length() const override { return 0; }
  [[nodiscard]] std::uint64_t media_offset() const override { return 0; }
  Status read(std::span<std::uint8_t> into, std::uint64_t /*offset*/) const override {
    return into.empty() ? ok() : Status(Error{Errc::kInvalidArgument, "all of it is in the file"});
  }

 private:
  std::uint64_t length_;
};

using LayoutResult = Result<std::unique_ptr<mp4::ServedLayout>>;

// A head that is just being rewritten for a track that came later is whole at the next look, as a
// rule. One that stays torn waits for its recording to come back and restore it.
LayoutResult open_layout(const std::shared_ptr<PosixReadFile>& file, const VideoPart& part,
                         const mp4::Committed& committed) {
  for (int reads = 1;; ++reads) {
    auto layout = mp4::ServedLayout::open(file, committed, part.clip);
    if (layout || layout.error().code != Errc::kUnavailable || reads == kHeadReads) {
      return layout;
    }
  }
}

LayoutResult layout_of(const std::shared_ptr<PosixReadFile>& file, const VideoPart& part,
                       const mp4::Committed& committed) {
  auto size = file->size();
  if (!size) {
    return std::move(size).error();
  }
  auto layout = size.value() == 0 ? LayoutResult(Error{Errc::kUnavailable, "the file is empty"})
                                  : open_layout(file, part, committed);
  if (!layout && layout.error().code == Errc::kUnavailable && committed.length == 0) {
    return Error{Errc::kNotFound, "nothing is saved yet"};
  }
  // A growing file is sent as it is in any case.
  if (layout && layout.value()->finished() && part.bytes == VideoBytes::kRaw) {
    size = file->size();  // finishing it can have been quicker than we were
    if (!size) {
      return std::move(size).error();
    }
    layout.value() = std::make_unique<RawLayout>(size.value());
  }
  return layout;
}

Entity entity_of(const mp4::ServedLayout& layout, const VideoPart& part, std::int64_t modified_ns) {
  const std::uint64_t length = layout.length();
  if (part.clip) {
    return clip_entity(layout.held(), length, layout.finished(), modified_ns);
  }
  return layout.finished() ? finished_entity(length, modified_ns)
                           : growing_entity(length, modified_ns);
}

}  // namespace

Result<std::shared_ptr<const ServedVideo>> ServedVideo::open(const std::string& path,
                                                             const VideoPart& part,
                                                             const mp4::Committed& committed) {
  auto file = PosixReadFile::open(path);
  if (!file) {
    return std::move(file).error().wrap(path);
  }
  const std::shared_ptr<ServedVideo> video(new ServedVideo);
  video->path_ = path;
  video->file_ = std::move(file).value();
  auto layout = layout_of(video->file_, part, committed);
  if (!layout) {
    return layout.error().code == Errc::kInvalidArgument ? std::move(layout).error()
                                                         : std::move(layout).error().wrap(path);
  }
  video->layout_ = std::move(layout).value();
  // After the head was read: the write that finishes a file is the last one, and dates it.
  auto modified_ns = video->file_->modified_ns();
  if (!modified_ns) {
    return std::move(modified_ns).error().wrap(path);
  }
  video->entity_ = entity_of(*video->layout_, part, modified_ns.value());
  if (video->layout_->held().empty()) {
    video->head_.resize(std::min(video->memory_length(), kHeadSize));
    if (auto status = video->read(video->head_, 0); !status) {
      return std::move(status).error().wrap(path);
    }
  }
  return std::shared_ptr<const ServedVideo>(video);
}

}  // namespace recording::exporter
