#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mp4/clip.hpp"

namespace recording::exporter {

// What is to be had of a video.
enum class VideoBytes {
  kMovie,     // {name}.mp4: as a player wants it
  kRaw,       // {name}.media and {name}.m4s: as on disk, where playlists' byte ranges point
  kPlaylist,  // {name}.m3u8: HLS of the same
  kMaster,    // master.m3u8: of all qualities
  kChapters,  // chapters.vtt
  kPicture,   // poster.jpg, screenshot-1.jpg, sprite.jpg, sprite.vtt: files as they are
  kPage       // the page that plays it
};

// One of the things that can be downloaded of a video.
struct VideoPart {
  // NOLINTNEXTLINE(google-explicit-constructor)
  VideoPart(VideoBytes which, std::optional<mp4::Clip> part = {}, std::string called = "source",
            std::string arguments = {})
      : bytes(which), clip(part), name(std::move(called)), query(std::move(arguments)) {}

  VideoBytes bytes;
  std::optional<mp4::Clip> clip;  // of the movie; nothing: all of it
  std::string name;   // of a quality, "source" or "720p"; of a picture with its extension
  std::string query;  // of playlists: behind every URI in it

  bool operator==(const VideoPart&) const = default;
};

// What follows the prefix of a location with `recording_files`.
struct VideoPath {
  std::string slug;
  VideoBytes bytes = VideoBytes::kMovie;
  std::string name = "source";  // as VideoPart's
  bool attachment = false;      // …/download
  std::string attachment_name;  // without extension; empty: the video's own name
};

// Which of the two names of the raw bytes playlists use: FFmpeg refuses segments whose extension it
// does not know.
inline constexpr std::string_view kRawExtension = ".m4s";

// What a quality can be called: 1 to 32 of A-Z a-z 0-9 _ -, so that it never leaves its folder.
bool is_quality_name(std::string_view text);

// 32 lower-case hex digits.
bool is_slug(std::string_view text);

// `path`: percent-decoded, without the prefix. Nothing: there is no such thing here. All that gets
// through is a slug and a name of harmless characters: nothing else of a URL comes near a file.
std::optional<VideoPath> parse_video_path(std::string_view path);

// The value of Content-Disposition (RFC 6266) that saves as `name`.mp4. Any bytes may come in: what
// a file name cannot hold becomes '_', and what is not ASCII goes into filename* (RFC 8187).
std::string content_disposition(std::string_view name);

}  // namespace recording::exporter
