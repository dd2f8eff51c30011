#include "exporter/served_video.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "exporter/hls_index.hpp"
#include "exporter/playback_text.hpp"
#include "exporter/stored_qualities.hpp"

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

// What was made for this request.
class TextLayout final : public mp4::ServedLayout {
 public:
  TextLayout(const std::string& text, bool finished)
      : text_(text.begin(), text.end()), finished_(finished) {}

  [[nodiscard]] bool finished() const override { return finished_; }
  [[nodiscard]] std::uint64_t length() const override { return text_.size(); }
  [[nodiscard]] std::uint64_t memory_length() const override { return text_.size(); }
  [[nodiscard]] std::uint64_t media_offset() const override { return 0; }
  Status read(std::span<std::uint8_t> into, std::uint64_t offset) const override {
    return copy_exactly(text_, into, offset);
  }
  [[nodiscard]] ByteView held() const override { return text_; }

 private:
  Bytes text_;
  bool finished_;
};

using LayoutResult = Result<std::unique_ptr<mp4::ServedLayout>>;

Error no_media_yet() { return Error{Errc::kNotFound, "no_media_yet: nothing is saved yet"}; }

bool is_made(VideoBytes bytes) {
  return bytes == VideoBytes::kPlaylist || bytes == VideoBytes::kMaster ||
         bytes == VideoBytes::kChapters;
}

LayoutResult open_raw(PosixReadFile& file) {
  auto size = file.size();
  if (!size) {
    return std::move(size).error();
  }
  return std::unique_ptr<mp4::ServedLayout>(std::make_unique<RawLayout>(size.value()));
}

LayoutResult make_text(const std::string& path, PosixReadFile& file, const VideoPart& part,
                       const mp4::Committed& committed) {
  auto size = file.size();
  if (!size) {
    return std::move(size).error();
  }
  if (size.value() == 0) {
    return no_media_yet();
  }
  auto index = read_hls_index(file, committed);
  if (!index) {
    return std::move(index).error();
  }
  const bool finished = index.value().finished;
  if (index.value().segments.empty()) {
    return no_media_yet();
  }
  std::string text;
  if (part.bytes == VideoBytes::kPlaylist) {
    text = media_playlist(index.value(), part.name + std::string(kRawExtension), part.query);
  } else if (part.bytes == VideoBytes::kChapters) {
    text = chapters_vtt(index.value());
  } else {
    std::vector<HlsVariant> variants = stored_qualities(path);
    variants.insert(variants.begin(), {part.name, std::move(index).value()});
    text = multivariant_playlist(variants, part.query);
  }
  return std::unique_ptr<mp4::ServedLayout>(std::make_unique<TextLayout>(text, finished));
}

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
    return no_media_yet();
  }
  // A growing file is sent as it is in any case.
  if (layout && layout.value()->finished() && part.bytes == VideoBytes::kRaw) {
    return open_raw(*file);  // finishing it can have been quicker than we were
  }
  return layout;
}

Entity entity_of(const mp4::ServedLayout& layout, const VideoPart& part, std::int64_t modified_ns) {
  const std::uint64_t length = layout.length();
  const bool finished = layout.finished();
  if (part.clip || is_made(part.bytes)) {
    Entity entity = clip_entity(layout.held(), length, finished, modified_ns);
    // That of the source says nothing of a quality that was added.
    entity.dated &= part.bytes != VideoBytes::kMaster;
    return entity;
  }
  return finished ? finished_entity(length, modified_ns) : growing_entity(length, modified_ns);
}

std::string_view content_type_of(const VideoPart& part) {
  switch (part.bytes) {
    case VideoBytes::kPlaylist:
    case VideoBytes::kMaster:
      return "application/vnd.apple.mpegurl";
    case VideoBytes::kChapters:
      return "text/vtt";
    case VideoBytes::kPicture:
      return part.name.ends_with(".vtt") ? "text/vtt" : "image/jpeg";
    default:
      return "video/mp4";
  }
}

// A finished file stays what it is. What is made of a growing one need not be made for each of its
// viewers; a quality may be added to a finished one.
std::int64_t fresh_ms_of(const mp4::ServedLayout& layout, const VideoPart& part) {
  constexpr std::int64_t kTextMs = 1000;
  if (layout.finished() && part.bytes != VideoBytes::kMaster) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return is_made(part.bytes) ? kTextMs : 0;
}

}  // namespace

std::string file_name(const VideoPart& part) {
  return part.bytes == VideoBytes::kPicture ? part.name : part.name + ".mp4";
}

Status ServedVideo::open_layout(const VideoPart& part, const mp4::Committed& committed) {
  auto layout = part.bytes == VideoBytes::kPicture ? open_raw(*file_)
                : is_made(part.bytes)              ? make_text(path_, *file_, part, committed)
                                                   : layout_of(file_, part, committed);
  if (!layout) {
    return std::move(layout).error();
  }
  layout_ = std::move(layout).value();
  return ok();
}

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
  if (auto status = video->open_layout(part, committed); !status) {
    const bool for_client =
        status.error().code == Errc::kInvalidArgument || status.error().code == Errc::kNotFound;
    return for_client ? std::move(status).error() : std::move(status).error().wrap(path);
  }
  // After the head was read: the write that finishes a file is the last one, and dates it.
  auto modified_ns = video->file_->modified_ns();
  if (!modified_ns) {
    return std::move(modified_ns).error().wrap(path);
  }
  video->entity_ = entity_of(*video->layout_, part, modified_ns.value());
  video->content_type_ = content_type_of(part);
  video->text_ = is_made(part.bytes);
  video->picture_ = part.bytes == VideoBytes::kPicture;
  video->fresh_ms_ = fresh_ms_of(*video->layout_, part);
  if (video->layout_->held().empty()) {
    video->head_.resize(std::min(video->memory_length(), kHeadSize));
    if (auto status = video->read(video->head_, 0); !status) {
      return std::move(status).error().wrap(path);
    }
  }
  return std::shared_ptr<const ServedVideo>(video);
}

}  // namespace recording::exporter
