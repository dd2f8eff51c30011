#include "transcode/session_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "runtime/stream_lock.hpp"
#include "transcode/live_folder.hpp"
#include "transcode/session_playlist.hpp"
#include "transcode/whole_file.hpp"

namespace recording::transcode {
namespace {

namespace fs = std::filesystem;

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

std::string last_played_run(const std::string& session_folder) {
  std::string last;
  std::error_code fault;
  for (fs::directory_iterator entry(session_folder, fault), end; !fault && entry != end;
       entry.increment(fault)) {
    std::string run = entry->path().filename().string();
    if (is_run_name(run) && run > last && is_there((entry->path() / kMasterName).string())) {
      last = std::move(run);
    }
  }
  return last;
}

Result<std::string> read_media_playlist(const std::string& session_folder, const std::string& run,
                                        const std::string& file, bool over) {
  const std::string folder = session_folder + "/" + run + "/";
  auto own = read_whole(folder + file);
  if (!own) {
    return std::move(own).error();
  }
  auto before = read_whole(folder + before_name(file));
  if (!before && before.error().code != Errc::kNotFound) {
    return std::move(before).error();
  }
  return session_playlist(
      before ? before.value() : std::string(), own.value(), run, over,
      [&session_folder](const std::string& uri) { return is_there(session_folder + "/" + uri); });
}

Result<std::string> read_session_playlist(const std::string& session_folder,
                                          const std::string& file,
                                          const std::string& session_lock) {
  // Asked first: who is told that it has ended must have been told all.
  const bool over = !runtime::OwnerLock::is_held(session_lock);
  const std::string run = last_played_run(session_folder);
  if (run.empty()) {
    return Error{Errc::kNotFound, "nothing can be played of " + session_folder};
  }
  return file == kMasterName ? read_whole(session_folder + "/" + run + "/" + file)
                             : read_media_playlist(session_folder, run, file, over);
}

}  // namespace recording::transcode
