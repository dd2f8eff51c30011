#pragma once

#include <string>

#include "base/result.hpp"

// The playlists of a session, made of those of its runs when they are asked for: so nothing has to
// be written while it is live, and any worker tells the same. May block: pool threads only.
namespace recording::transcode {

// The last run that could be played; empty: none.
std::string last_played_run(const std::string& session_folder);

// master.m3u8, which is the last run's, or media_{n}.m3u8, over all runs. A session is over, and
// its playlists are, when nobody holds `session_lock`. kNotFound: there is no such playlist, or
// nothing can be played yet.
Result<std::string> read_session_playlist(const std::string& session_folder,
                                          const std::string& file, const std::string& session_lock);

// What it lists now, for the run behind it to begin with.
Result<std::string> read_media_playlist(const std::string& session_folder, const std::string& run,
                                        const std::string& file, bool over = false);
// Where that lies in the folder of the run behind.
inline std::string before_name(const std::string& file) { return "before_" + file; }

}  // namespace recording::transcode
