#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mp4/clip.hpp"

namespace recording::exporter {

// Which bytes of a video are asked for.
enum class VideoBytes {
  kSource,  // source.mp4: as a player wants it
  kRaw      // source.media: as on disk, where playlists' byte ranges point
};

// One of the things that can be downloaded of a video.
struct VideoPart {
  VideoPart(VideoBytes which, std::optional<mp4::Clip> part = {}) : bytes(which), clip(part) {}

  VideoBytes bytes;
  std::optional<mp4::Clip> clip;  // of the source; nothing: all of it

  bool operator==(const VideoPart&) const = default;
};

// What follows the prefix of a location with `recording_files`.
struct VideoPath {
  std::string slug;
  VideoBytes bytes = VideoBytes::kSource;
  bool attachment = false;      // …/download
  std::string attachment_name;  // without extension; empty: the video's own name
};

// 32 lower-case hex digits.
bool is_slug(std::string_view text);

// `path`: percent-decoded, without the prefix. Nothing: there is no such thing here. All that gets
// through is a slug and a name of harmless characters: nothing else of a URL comes near a file.
std::optional<VideoPath> parse_video_path(std::string_view path);

// The value of Content-Disposition (RFC 6266) that saves as `name`.mp4. Any bytes may come in: what
// a file name cannot hold becomes '_', and what is not ASCII goes into filename* (RFC 8187).
std::string content_disposition(std::string_view name);

}  // namespace recording::exporter
