#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "media/track_config.hpp"
#include "transcode/frozen_source.hpp"
#include "transcode/settings.hpp"

namespace recording::transcode {

// ffmpeg's name of the media playlist of a track: pictures first, then sounds.
inline std::string media_playlist_name(std::size_t track) {
  return "media_" + std::to_string(track) + ".m3u8";
}
inline constexpr std::uint16_t kMostEncodedChannels = 2;

// One encoded or copied track of pictures.
struct LiveVideo {
  bool copy = false;                    // the source as it came
  std::uint32_t width = 0, height = 0;  // even, unless copied
  std::int64_t bps = 0;                 // aimed at; of a copy as far as it is known, else 0
  std::int64_t most_bps = 0;            // over a second; 0: not known
  std::uint8_t level = 0;               // level_idc of H.264; 0: the source's
};

// One encoded or copied track of sound.
struct LiveAudio {
  bool copy = false;
  std::int64_t bps = 0;
};

// One quality that a viewer may have.
struct LiveRendition {
  std::string name;            // "source", "720p", "audio"
  int video = -1, audio = -1;  // into the two lists of Ladder; -1: none
};

// What the live playback of a session consists of: renditions share tracks where they can.
struct Ladder {
  std::vector<LiveVideo> videos;
  std::vector<LiveAudio> audios;
  std::vector<LiveRendition> renditions;  // the best first
};

// Whether tracks that come from the encoder as they should may go to viewers as they are. After a
// change of the source they may not: a player would get another size, or another codec setting,
// than the session has.
enum class Copying { kAllowed, kForbidden };

// Never larger than the source, and no faster. The source itself is the first rendition: copied
// when every player can have it as it is, else encoded. Its tracks are the same ones, in the same
// order, whatever `copying` is.
Ladder ladder_of(const FrozenSource& source, const TranscoderSettings& settings,
                 Copying copying = Copying::kAllowed);

// What comes now is what was frozen, as far as copied tracks go. nullptr: no such track.
bool is_as_frozen(const FrozenSource& source, const media::TrackConfig* video,
                  const media::TrackConfig* audio);

}  // namespace recording::transcode
