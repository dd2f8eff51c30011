#include "transcode/live_sweep.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "transcode/ladder.hpp"
#include "transcode/live_folder.hpp"
#include "transcode/session_reader.hpp"

namespace recording::transcode {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code fault;
  for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end;
       entry.increment(fault)) {
    found.push_back(entry->path());
  }
  return found;
}

bool is_folder(const fs::path& path) {
  std::error_code fault;
  return fs::is_directory(fs::symlink_status(path, fault));
}

std::int64_t changed_wall_ms(const fs::path& path) {
  struct stat found = {};
  return ::lstat(path.c_str(), &found) == 0
             ? std::int64_t{found.st_mtim.tv_sec} * 1000 + found.st_mtim.tv_nsec / 1000000
             : 0;
}

// The runs of a session, the last one behind.
std::vector<std::string> runs_of(const fs::path& session) {
  std::vector<std::string> runs;
  for (const fs::path& entry : entries_of(session)) {
    if (is_run_name(entry.filename().string()) && is_folder(entry)) {
      runs.push_back(entry.filename().string());
    }
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

bool lists(const std::string& session, const std::string& last, const std::string& run) {
  for (std::size_t i = 0;; ++i) {
    auto text = read_media_playlist(session, last, media_playlist_name(i));
    if (!text) {
      return text.error().code != Errc::kNotFound;
    }
    if (text.value().find("\n" + run + "/") != std::string::npos) {
      return true;
    }
  }
}

void remove_media(const fs::path& run) {
  std::error_code ignored;
  for (const fs::path& file : entries_of(run)) {
    if (file.extension() == ".m4s" || file.extension() == ".mp4") {
      fs::remove(file, ignored);
    }
  }
}

// A session that lives: what its runs before the last one have left, but for their playlists, of
// which the next run's numbers come. While nothing of the last run can be played nobody is kept
// from room that it may lack.
void sweep_runs(const fs::path& session, std::int64_t older_than_ms) {
  std::vector<std::string> runs = runs_of(session);
  if (runs.size() < 2) {
    return;
  }
  const std::string last = runs.back();
  runs.pop_back();
  const bool plays = last_played_run(session.string()) == last;
  for (const std::string& run : runs) {
    if (changed_wall_ms(session / run) <= older_than_ms &&
        !(plays && lists(session.string(), last, run))) {
      remove_media(session / run);
    }
  }
}

std::int64_t session_changed_wall_ms(const fs::path& session) {
  std::int64_t changed = changed_wall_ms(session);
  for (const std::string& run : runs_of(session)) {
    changed = std::max(changed, changed_wall_ms(session / run));
  }
  return changed;
}

// Of folders that somebody else may have put there nothing is touched.
void sweep_stream(const fs::path& stream, std::int64_t older_than_ms,
                  const std::function<bool(const std::string& session)>& in_use) {
  std::error_code ignored;
  bool ours = false;
  for (const fs::path& session : entries_of(stream)) {
    const std::string name = session.filename().string();
    if (!is_session_name(name) || !is_folder(session)) {
      continue;
    }
    ours = true;
    if (in_use(name)) {
      sweep_runs(session, older_than_ms);
    } else if (session_changed_wall_ms(session) <= older_than_ms) {
      fs::remove_all(session, ignored);
    }
  }
  const fs::path link = stream / kCurrentName;
  if (fs::is_symlink(fs::symlink_status(link, ignored)) && !fs::exists(link, ignored)) {
    fs::remove(link, ignored);
    ours = true;
  }
  if (ours) {
    fs::remove(stream, ignored);                // if it is empty now,
    fs::remove(stream.parent_path(), ignored);  // and this one
  }
}

}  // namespace

void sweep(const std::string& path, std::int64_t keep_ms, std::int64_t wall_ms,
           const std::function<bool(const std::string& session)>& in_use) {
  for (const fs::path& app : entries_of(path)) {
    if (!is_folder(app)) {
      continue;
    }
    for (const fs::path& stream : entries_of(app)) {
      if (is_folder(stream)) {
        sweep_stream(stream, wall_ms - keep_ms, in_use);
      }
    }
  }
}

}  // namespace recording::transcode
