#pragma once

#include <string>
#include <string_view>

namespace recording::pages {

// A file that browsers get, the same for everybody and as long as the program runs.
struct Asset {
  std::string_view name, content_type, body;
  std::string etag;
};

// `name` and `body` stay for ever; the ETag follows from the body.
Asset make_asset(std::string_view name, std::string_view content_type, std::string_view body);

// The page that plays the stream which its own address names; it asks for those below.
const Asset& live_page();
// The page that plays the video which its own address names; likewise.
const Asset& video_page();
// "live.js", below "player/"; nullptr: there is no such file.
const Asset* find_asset(std::string_view name);

// What pages may do (Content-Security-Policy, level 3): load what comes from this server, and
// nothing inline; be shown in a frame of anybody's.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'";

}  // namespace recording::pages
