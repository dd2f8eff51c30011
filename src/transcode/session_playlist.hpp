#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace recording::transcode {

// How many segments a live media playlist lists.
inline constexpr std::size_t kListedSegments = 6;

// A file that a playlist names, relative to the folder of the session: whether it is there still.
using IsThere = std::function<bool(const std::string& uri)>;

// The media playlist of one track over the runs of a session, so that a player goes on when ffmpeg
// is started again (RFC 8216, 6.2.2). Its URIs are relative to the folder of the session.
// `before`: what this was when the run before ended; empty: `run` is the first.
// `own`: of the folder `run`, as ffmpeg's muxer "dash" writes it. `over`: nothing more comes.
// What `is_there` denies of a map (EXT-X-MAP) is counted, and not listed.
std::string session_playlist(std::string_view before, std::string_view own, std::string_view run,
                             bool over, const IsThere& is_there);

}  // namespace recording::transcode
