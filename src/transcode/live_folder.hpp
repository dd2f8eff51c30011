#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

// Where live playback lies on disk: {path}/{app}/{name}/{session}/{run}/…, a fresh folder for each
// session, in it one for each run of the transcoding program, and beside the sessions the link
// "current" to the run that players are sent to. All but the names may block: pool threads only.
// Nothing here need survive a power cut.
namespace recording::transcode {

inline constexpr std::string_view kMasterName = "master.m3u8";
inline constexpr std::string_view kCurrentName = "current";

// 32 lower-case hex digits; a later session's name sorts behind an earlier one's.
std::string new_session_name(std::int64_t wall_ms);
bool is_session_name(std::string_view text);

// Of 6 digits: they sort as they follow each other.
std::string run_name(int number);
bool is_run_name(std::string_view text);

// {path}/{app}/{name}, the names as components that cannot escape or collide (base/strings.hpp).
std::string stream_folder(const std::string& path, std::string_view app, std::string_view name);

// Which run, below the folder of its stream.
struct RunPath {
  std::string session, run;
  [[nodiscard]] std::string text() const { return session + "/" + run; }
};

// Makes the empty folder of a run. The first one of a session: players are sent to it from now on,
// although there is nothing to play yet: what the session before left is none of this one's. Else
// what the session's playlists listed so far is left in it, see session_reader.hpp.
Status make_run_folder(const std::string& stream_folder, const RunPath& run, bool first);

// The master playlist appears whole, and players are sent to this run unless to a later one.
// kNotFound: of the `playlists` media playlists (media_0.m3u8 …) one is missing still, or empty.
Status publish_master(const std::string& stream_folder, const RunPath& run, int playlists,
                      const std::string& text);

// Whether the program can write there: ffmpeg 5.1's muxer says nothing of a full disk and goes on,
// with empty files. An error: why not.
Status check_output(const std::string& run_folder, int playlists);

// The run that players are sent to. kNotFound: there is none, or nothing of it can be played yet.
Result<RunPath> current_run(const std::string& stream_folder);

// A file of a run, to be served.
struct LiveFile {
  UniqueFd fd;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // since 1970
};
Result<LiveFile> open_live_file(const std::string& path);

// The program did not end its playlists: they end here, for players that read the run's folder
// itself.
Status end_playlists(const std::string& run_folder, int playlists);

}  // namespace recording::transcode
