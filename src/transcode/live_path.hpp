#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace recording::transcode {

// What follows "live/" below the prefix of a location with recording_files.
struct LivePath {
  std::string app, name;  // raw bytes
  std::string session;    // empty: whichever is current
  std::string run;        // empty: `file` is a playlist of the whole session
  // Of harmless characters: "master.m3u8", "0-000017.m4s". Empty: the page that plays the stream.
  std::string file;

  // Changes while it is read again and again; else it never does.
  [[nodiscard]] bool is_playlist() const;
  [[nodiscard]] std::string_view content_type() const;
};

// `path`: percent-encoded still, so that an encoded slash is part of a name. Nothing: there is no
// such thing here. Without a session only master.m3u8 and manifest.mpd are to be had.
std::optional<LivePath> parse_live_path(std::string_view path);

}  // namespace recording::transcode
