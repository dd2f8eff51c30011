#pragma once

#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/served_video.hpp"
#include "media/aac_config.hpp"
#include "mp4/recording_file.hpp"
#include "storage/posix_file.hpp"

// What the tests of the exporter share: real recordings in a folder of their own.
namespace recording::test {

inline const std::string kSlug = "0123456789abcdef0123456789abcdef";
inline const std::string kOtherSlug = "fedcba9876543210fedcba9876543210";

class RecordingsFolder {
 public:
  RecordingsFolder() {
    char name[] = "/dev/shm/recording-exporter-test.XXXXXX";
    path_ = ::mkdtemp(name) != nullptr ? name : "";
  }
  ~RecordingsFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  RecordingsFolder(const RecordingsFolder&) = delete;
  RecordingsFolder& operator=(const RecordingsFolder&) = delete;
  [[nodiscard]] std::string path(const std::string& name = "") const {
    return name.empty() ? path_ : path_ + "/" + name;
  }

 private:
  std::string path_;
};

// A recording with sound only, written as the recorder does it. Check valid() first.
class TestRecording {
 public:
  explicit TestRecording(const std::string& path) : path_(path) {
    const std::array<std::uint8_t, 2> record = {0x12, 0x10};  // AAC-LC, 44.1 kHz, stereo
    auto config = media::parse_aac_config(record);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    auto file = storage::PosixFileSystem().create(path);
    if (!config || !file) {
      return;
    }
    config_ = std::move(config).value();
    mp4::Identity identity;
    identity.slug = kSlug;
    identity.app = "live";
    identity.stream = "cam";
    auto recording = mp4::RecordingFile::create(std::move(file).value(), identity);
    if (recording) {
      recording_ = std::move(recording).value();
    }
  }

  // One more fragment of `samples` AAC frames, each of `size` bytes that occur nowhere else.
  bool append(int samples, std::uint32_t size = 300) {
    std::vector<mp4::Sample> list;
    Bytes media;
    for (int i = 0; i < samples; ++i) {
      list.push_back({dts_, 0, size, true});
      dts_ += 1024;
      for (std::uint32_t byte = 0; byte < size; ++byte) {
        noise_ = noise_ * 1664525 + 1013904223;
        media.push_back(static_cast<std::uint8_t>(noise_ >> 24));
      }
    }
    const iovec piece{media.data(), media.size()};
    const mp4::Run run{media::TrackKind::kAudio, list, {&piece, 1}, 1024};
    mp4::Fragment fragment;
    fragment.runs = {&run, 1};
    if (first_) {
      fragment.mark.emplace();
      fragment.mark->session = 1;
      fragment.config[static_cast<std::size_t>(media::TrackKind::kAudio)] = &config_;
    }
    first_ = false;
    return recording_ && static_cast<bool>(recording_->append(fragment));
  }
  bool finish() { return recording_ && static_cast<bool>(recording_->finish()); }

  [[nodiscard]] std::uint64_t length() const { return recording_->length(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  media::TrackConfig config_;
  std::unique_ptr<mp4::RecordingFile> recording_;
  std::int64_t dts_ = 0;
  std::uint32_t noise_ = 1;
  bool first_ = true;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// All that a client is sent, put together as the HTTP side does it: from memory, then from the
// file.
inline std::string sent_bytes(const exporter::ServedVideo& video) {
  Bytes memory(static_cast<std::size_t>(video.memory_length()));
  if (!video.read(memory, 0)) {
    return "cannot be read";
  }
  std::string all(memory.begin(), memory.end());
  Bytes media(static_cast<std::size_t>(video.length() - video.memory_length()));
  if (::pread(video.descriptor(), media.data(), media.size(),
              static_cast<off_t>(video.media_offset())) != static_cast<ssize_t>(media.size())) {
    return "the file is too short";
  }
  return all.append(media.begin(), media.end());
}

}  // namespace recording::test
