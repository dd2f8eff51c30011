#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace recording::transcode {

// transcoder_rendition: one encoded quality.
struct RenditionSetting {
  std::string name;  // "720p"
  int height = 0;    // lines, of a portrait picture columns: the shorter side
  std::int64_t video_bps = 0, audio_bps = 0;
};

// What nginx.conf says of the live playback of one application; see docs/directives.md. Fixed for a
// session from its beginning.
struct TranscoderSettings {
  std::string path;  // transcoder_path
  std::int64_t segment_ms = 2000;
  int restarts = 10;
  std::string command = "ffmpeg";
  std::vector<RenditionSetting> renditions;  // none: the source's size and those below it
};

}  // namespace recording::transcode
