#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "exporter/entity.hpp"
#include "exporter/posix_read_file.hpp"
#include "exporter/video_path.hpp"
#include "mp4/committed.hpp"
#include "mp4/served_layout.hpp"

namespace recording::exporter {

// One state of a video, open for sending: what it is called, how long it is, and where its bytes
// come from. It stays as it was opened, whatever happens to the recording meanwhile: finishing it
// only appends to the file and overwrites bytes of its head, which are held here, and moving or
// removing it does not touch the descriptor.
//
// Bytes [0, memory_length()) come from read(), all others from the descriptor at media_offset().
// Immutable; several downloads may share it.
class ServedVideo {
 public:
  // Blocks: pool threads. `committed`: what is whole of a recording in progress; ignored
  // when the file is finished. kNotFound: no such file, or nothing of it is committed yet;
  // kInvalidArgument: it has no such clip, with a word for the client in front (mp4/clip.hpp).
  static Result<std::shared_ptr<const ServedVideo>> open(const std::string& path,
                                                         const VideoPart& part,
                                                         const mp4::Committed& committed);

  [[nodiscard]] const std::string& path() const { return path_; }
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

  std::string path_;
  Entity entity_;
  std::shared_ptr<PosixReadFile> file_;
  std::unique_ptr<mp4::ServedLayout> layout_;
  Bytes head_;
};

}  // namespace recording::exporter
