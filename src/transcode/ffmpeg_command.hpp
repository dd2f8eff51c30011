#pragma once

#include <string>
#include <vector>

#include "transcode/feed.hpp"
#include "transcode/frozen_source.hpp"
#include "transcode/ladder.hpp"
#include "transcode/settings.hpp"

namespace recording::transcode {

// Whether the best rendition is also to be had by itself, to be recorded.
enum class Tap { kNone, kBest };

// ffmpeg's arguments after its own name, for execvp: no shell, and no byte of an encoder's in them.
// Standard input: the session in that container, its messages from a key frame on. Standard output:
// lines of
// "-progress", each second. Standard error: warnings and errors, a line each.
// With Tap::kBest, descriptor 4: the first rendition as FLV, what is in its segments and no other
// encoding of it.
//
// `directory` exists and is empty; there, from one segment after the first key frame on:
//   media_{n}.m3u8   one live media playlist a track, in the order of ladder_of(): pictures, sound
//   manifest.mpd     MPEG-DASH over the same segments
//   init-{n}.mp4, {n}-{number}.m4s
// each renamed into place whole; segments that fell out of the playlists are removed. At the end of
// the input the playlists get their EXT-X-ENDLIST. What is missing is master.m3u8: see
// master_playlist.hpp.
std::vector<std::string> ffmpeg_arguments(const FrozenSource& source,
                                          const TranscoderSettings& settings,
                                          const std::string& directory,
                                          Copying copying = Copying::kAllowed, Tap tap = Tap::kNone,
                                          Container container = Container::kFlv);

}  // namespace recording::transcode
