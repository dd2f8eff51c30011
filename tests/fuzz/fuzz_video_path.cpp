#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/clip_query.hpp"
#include "exporter/playback_text.hpp"
#include "exporter/video_path.hpp"
#include "transcode/live_folder.hpp"
#include "transcode/live_path.hpp"

// What follows the prefix of a location with recording_files: any bytes that a client can put into
// a URL, and names that anybody may have given to a video.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace recording::exporter;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto path = parse_video_path(text)) {
    const std::string_view harmless =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.";
    if (!is_slug(path->slug) || path->attachment_name.size() > 255 ||
        path->attachment_name.starts_with('.') || path->name.empty() || path->name.size() > 36 ||
        path->name.starts_with('.') || path->name.find_first_not_of(harmless) != path->name.npos ||
        (path->bytes != VideoBytes::kPicture && !is_quality_name(path->name)) ||
        (path->attachment && path->bytes != VideoBytes::kMovie) ||
        path->attachment_name.find_first_not_of(harmless) != std::string_view::npos) {
      std::abort();
    }
  }

  if (const auto live = recording::transcode::parse_live_path(text)) {
    const std::string folder = recording::transcode::stream_folder("/live", live->app, live->name) +
                               "/" + live->session + "/" + live->run;
    if (live->app.empty() || live->name.empty() || live->file.find('/') != std::string::npos ||
        live->file.starts_with('.') ||
        live->content_type().empty() != live->file.empty() ||  // without a file it is the page
        (!live->session.empty() && !recording::transcode::is_session_name(live->session)) ||
        (!live->run.empty() && !recording::transcode::is_run_name(live->run)) ||
        folder.find("/../") != std::string::npos || folder.find('\0') != std::string::npos) {
      std::abort();
    }
  }

  // It stands in a line of a playlist, and in a quoted string.
  if (clean_query(text).find_first_of(std::string_view("\"\r\n\0 #<>\\", 9)) != std::string::npos) {
    std::abort();
  }

  auto clip = parse_clip(text);
  if (clip) {
    if (clip.value() &&
        (clip.value()->from_ms < 0 || clip.value()->from_ms >= clip.value()->to_ms)) {
      std::abort();
    }
  } else if (clip.error().message.find_first_of("\"\\\n") != std::string::npos) {
    std::abort();  // it goes into JSON as it is
  }

  // One header line of printable ASCII, with the quoted string closed once and nothing to escape.
  const std::string header = content_disposition(text);
  std::size_t quotes = 0;
  for (const char c : header) {
    if (c < 0x20 || c > 0x7e || c == '\\') {
      std::abort();
    }
    quotes += c == '"' ? 1 : 0;
  }
  if (quotes != 2 || header.size() > 1500 || header.find('/') != std::string::npos) {
    std::abort();
  }
  return 0;
}
