#include "flv_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace rtmp_publisher {
namespace {

constexpr std::size_t kFileHeader = 9 + 4;  // E.2, with the first PreviousTagSize
constexpr std::size_t kTagHeader = 11;      // E.4.1

ByteView map_file(const std::string& path, std::string& error) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0 || info.st_size == 0) {
    error = path + ": " + (errno != 0 ? std::strerror(errno) : "empty");
    return {};
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  ::close(fd);
  if (memory == MAP_FAILED) {
    error = path + ": " + std::strerror(errno);
    return {};
  }
  return {static_cast<const std::uint8_t*>(memory), size};
}

std::optional<Kind> classify(std::uint8_t type, ByteView body) {
  // A second byte of 0 after "AAC" or a codec with packets is a sequence header (E.4.2.1, E.4.3.1);
  // Enhanced RTMP says it in the low bits of the first byte.
  const std::uint8_t first = body.empty() ? 0 : body[0];
  const bool second_is_zero = body.size() > 1 && body[1] == 0;
  if (type == 8) {
    const int format = first >> 4;
    const bool header = format == 10 ? second_is_zero : format == 9 && (first & 0x0F) == 0;
    return header ? Kind::kAudioHeader : Kind::kAudio;
  }
  if (type == 9) {
    const bool enhanced = (first & 0x80) != 0;
    const int codec = first & 0x0F;
    const bool header = enhanced ? codec == 0 : (codec == 7 || codec == 12) && second_is_zero;
    return header ? Kind::kVideoHeader : Kind::kVideo;
  }
  if (type == 18) {
    return Kind::kMetadata;
  }
  return std::nullopt;
}

// Distance from the first tag of `kind` to where the next one after the last would be.
std::uint32_t track_period(const std::vector<Tag>& tags, Kind kind, std::uint32_t& begin) {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint32_t count = 0;
  for (const Tag& tag : tags) {
    if (tag.kind == kind) {
      first = count == 0 ? tag.timestamp : first;
      last = std::max(last, tag.timestamp);
      ++count;
    }
  }
  begin = first;
  if (count < 2) {
    return count == 0 ? 0 : 40;  // one picture: any frame rate is a guess
  }
  const std::uint32_t length = last - first;
  return length + (length + (count - 1) / 2) / (count - 1);
}

void trim_to_one_pass(FlvFile& file) {
  std::uint32_t video_begin = 0;
  std::uint32_t audio_begin = 0;
  const std::uint32_t video = track_period(file.tags, Kind::kVideo, video_begin);
  const std::uint32_t audio = track_period(file.tags, Kind::kAudio, audio_begin);
  file.period = std::max(1U, video != 0 ? video : audio);
  const std::uint64_t audio_end = std::uint64_t{audio_begin} + file.period;
  std::erase_if(file.tags, [&](const Tag& tag) {
    return tag.kind == Kind::kAudio && tag.timestamp >= audio_end;
  });
}

}  // namespace

const char* kind_name(Kind kind) {
  static constexpr const char* kNames[kKinds] = {"metadata",     "audio_header", "video_header",
                                                 "audio",        "video",        "hostile_audio",
                                                 "hostile_video"};
  return kNames[static_cast<std::size_t>(kind)];
}

FlvFile FlvFile::load(const std::string& path, std::string& error) {
  FlvFile file;
  const ByteView bytes = map_file(path, error);
  if (bytes.empty()) {
    return file;
  }
  std::size_t number = 0;
  for (std::size_t at = kFileHeader; at + kTagHeader <= bytes.size();) {
    const std::uint8_t* tag = &bytes[at];
    const auto size = static_cast<std::size_t>(get_be(tag + 1, 3));
    if (at + kTagHeader + size > bytes.size()) {
      break;  // a file cut off in its last tag is still worth sending
    }
    const ByteView body = bytes.subspan(at + kTagHeader, size);
    const auto timestamp =
        static_cast<std::uint32_t>(get_be(tag + 4, 3) | std::uint64_t{tag[7]} << 24);
    const std::optional<Kind> kind = classify(tag[0], body);
    // ffmpeg ends a video with an "end of sequence" tag: repeated, it would end every pass.
    const bool end_of_sequence =
        kind == Kind::kVideo && size >= 2 && (body[0] & 0x8F) == 7 && body[1] == 2;
    if (kind && !end_of_sequence) {
      file.tags.push_back({*kind, timestamp, body, number});
    }
    number += tag[0] == 8 || tag[0] == 9 ? 1 : 0;
    at += kTagHeader + size + 4;
  }
  if (file.tags.empty()) {
    error = path + ": no FLV tags";
    return file;
  }
  trim_to_one_pass(file);
  return file;
}

}  // namespace rtmp_publisher
