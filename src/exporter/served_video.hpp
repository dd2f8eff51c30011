#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "exporter/entity.hpp"
#include "exporter/posix_read_file.hpp"
#include "exporter/video_path.hpp"
#include "mp4/committed.hpp"
#include "mp4/served_layout.hpp"

namespace recording::exporter {

// Of the file, in the folder of a video, that a part is made of: "source.mp4", "poster.jpg".
std::string file_name(const VideoPart& part);

// One state of a part of a video, open for sending: what it is called, how long it is, and where
// its bytes come from. It stays as it was opened, whatever happens to the recording meanwhile:
// finishing it only appends to the file and overwrites bytes of its head, which are held here, and
// moving or removing it does not touch the descriptor.
//
// Bytes [0, memory_length()) come from read(), all others from the descriptor at media_offset().
// Immutable; several downloads may share it.
class ServedVideo {
 public:
  // Blocks: pool threads. `path`: of the file that `part` is made of (file_name()). `committed`:
  // what is whole of a recording in progress; ignored when the file is finished. kNotFound: no such
  // file, or "no_media_yet: …"; kInvalidArgument: it has no such clip, with a word for the client
  // in front (mp4/clip.hpp).
  static Result<std::shared_ptr<const ServedVideo>> open(const std::string& path,
                                                         const VideoPart& part,
                                                         const mp4::Committed& committed);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string_view content_type() const { return content_type_; }
  // Made for this state of the video: asked for again and again, never in parts.
  [[nodiscard]] bool is_text() const { return text_; }
  [[nodiscard]] bool is_picture() const { return picture_; }
  // How long it may be given to others, from when it was opened, in ms.
  [[nodiscard]] std::int64_t fresh_ms() const { return fresh_ms_; }
  [[nodiscard]] const Entity& entity() const { return entity_; }
  [[nodiscard]] bool finished() const { return layout_->finished(); }
  [[nodiscard]] bool removed() const noexcept { return file_->removed(); }

  [[nodiscard]] std::uint64_t length() const { return layout_->length(); }
  [[nodiscard]] std::uint64_t memory_length() const { return layout_->memory_length(); }
  [[nodiscard]] std::uint64_t media_offset() const { return layout_->media_offset(); }
  // How much memory it takes.
  [[nodiscard]] std::uint64_t held_bytes() const { return head().size(); }
  [[nodiscard]] int descriptor() const { return file_->descriptor(); }

  // The first bytes of the memory part, for the event loop: a player's first request and a
  // download's first packets wait for no thread.
  [[nodiscard]] ByteView head() const {
    return layout_->held().empty() ? ByteView(head_) : layout_->held();
  }
  // Blocks: pool threads. offset + into.size() <= memory_length().
  Status read(std::span<std::uint8_t> into, std::uint64_t offset) const {
    return layout_->read(into, offset);
  }

 private:
  ServedVideo() = default;
  Status open_layout(const VideoPart& part, const mp4::Committed& committed);

  std::string path_;
  std::string_view content_type_;
  bool text_ = false, picture_ = false;
  std::int64_t fresh_ms_ = 0;
  Entity entity_;
  std::shared_ptr<PosixReadFile> file_;
  std::unique_ptr<mp4::ServedLayout> layout_;
  Bytes head_;
};

}  // namespace recording::exporter
