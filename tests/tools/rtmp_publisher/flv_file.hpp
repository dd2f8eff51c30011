#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire.hpp"

namespace rtmp_publisher {

enum class Kind : std::uint8_t {
  kMetadata,
  kAudioHeader,
  kVideoHeader,
  kAudio,
  kVideo,
  kHostileAudio,
  kHostileVideo,
};
inline constexpr std::size_t kKinds = 7;
const char* kind_name(Kind kind);
inline bool is_audio(Kind kind) {
  return kind == Kind::kAudioHeader || kind == Kind::kAudio || kind == Kind::kHostileAudio;
}
inline bool is_media(Kind kind) { return kind != Kind::kMetadata; }

struct Tag {
  Kind kind = Kind::kMetadata;
  std::uint32_t timestamp = 0;  // ms
  ByteView body;                // points into the mapped file
  std::size_t number = 0;       // among the audio and video tags of the file
};

// An FLV file, mapped for the life of the process (Video File Format Specification 10.1, annex E).
struct FlvFile {
  std::vector<Tag> tags;
  // What one pass lasts: the video's frames times their mean distance. Audio beyond it is left out,
  // so that passes follow each other without a hole (an encoder's padding makes audio longer).
  std::uint32_t period = 0;  // ms

  // Empty `tags`: `error` says why.
  static FlvFile load(const std::string& path, std::string& error);
};

}  // namespace rtmp_publisher
