#include "transcode/live_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/strings.hpp"
#include "runtime/sys_error.hpp"
#include "transcode/ladder.hpp"

namespace recording::transcode {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRunNameSize = 32;
constexpr int kTimeDigits = 12;
constexpr std::string_view kEndList = "#EXT-X-ENDLIST";  // RFC 8216, 4.3.3.4
// A sweep may take away an empty folder just when somebody is about to use it.
constexpr int kTries = 8;

using runtime::sys_error;

std::string media_playlist(const std::string& folder, int index) {
  return folder + "/" + media_playlist_name(static_cast<std::size_t>(index));
}

Status write_whole(const std::string& path, std::string_view text) {
  const std::string part = path + ".part";
  const UniqueFd fd(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) {
    return sys_error("open " + part, errno);
  }
  while (!text.empty()) {
    const ssize_t done = ::write(fd.get(), text.data(), text.size());
    if (done < 0 && errno != EINTR) {
      return sys_error("write " + part, errno);
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(done, 0)));
  }
  return ::rename(part.c_str(), path.c_str()) == 0 ? ok() : sys_error("rename " + part, errno);
}

Result<std::string> read_whole(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return sys_error("open " + path, errno);
  }
  std::string text;
  char piece[4096];
  ssize_t size = 0;
  while ((size = ::read(fd.get(), piece, sizeof piece)) != 0) {
    if (size < 0 && errno != EINTR) {
      return sys_error("read " + path, errno);
    }
    text.append(piece, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
  return text;
}

// Players are sent to `run`; never back to an earlier one, should two sessions overlap.
Status show_run(const std::string& stream_folder, const std::string& run) {
  const std::string link = stream_folder + "/" + std::string(kCurrentName);
  std::error_code fault;
  const std::string shown = fs::read_symlink(link, fault).string();
  if (!fault && shown >= run) {
    return ok();
  }
  const std::string part = link + "." + run;
  if (::symlink(run.c_str(), part.c_str()) != 0 && errno != EEXIST) {
    return sys_error("symlink " + part, errno);
  }
  return ::rename(part.c_str(), link.c_str()) == 0 ? ok() : sys_error("rename " + part, errno);
}

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

}  // namespace

std::string new_run_name(std::int64_t wall_ms) {
  char time[kTimeDigits + 1];
  std::snprintf(time, sizeof time, "%0*llx", kTimeDigits,
                static_cast<unsigned long long>(wall_ms) & 0xFFFFFFFFFFFF);
  return time + random_id().substr(kTimeDigits);
}

bool is_run_name(std::string_view text) {
  return text.size() == kRunNameSize &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string stream_folder(const std::string& path, std::string_view app, std::string_view name) {
  return path + "/" + path_component(app) + "/" + path_component(name);
}

Status make_run_folder(const std::string& stream_folder, const std::string& run, bool show) {
  const std::string folder = stream_folder + "/" + run;
  std::error_code fault;
  for (int i = 0; i < kTries; ++i) {
    fs::create_directories(folder, fault);
    if (fault.value() != ENOENT) {
      break;
    }
  }
  if (fault) {
    return sys_error("mkdir " + folder, fault.value());
  }
  return show ? show_run(stream_folder, run) : ok();
}

Status publish_master(const std::string& stream_folder, const std::string& run, int playlists,
                      const std::string& text) {
  const std::string folder = stream_folder + "/" + run;
  for (int i = 0; i < playlists; ++i) {
    struct stat found = {};
    if (::stat(media_playlist(folder, i).c_str(), &found) != 0) {
      return sys_error(media_playlist(folder, i), errno);
    }
    if (found.st_size == 0) {
      return Error{Errc::kNotFound, media_playlist(folder, i) + " is empty"};
    }
  }
  RECORDING_TRY(write_whole(folder + "/" + std::string(kMasterName), text));
  return show_run(stream_folder, run);
}

Status check_output(const std::string& run_folder, int playlists) {
  bool empty = false;
  for (int i = 0; i < playlists; ++i) {
    struct stat found = {};
    empty =
        empty || (::stat(media_playlist(run_folder, i).c_str(), &found) == 0 && found.st_size == 0);
  }
  if (!empty) {
    return ok();
  }
  // What stops it stops us, too, and we are told what it is.
  const std::string probe = run_folder + "/probe";
  Status written = write_whole(probe, std::string(4096, '\n'));
  ::unlink((probe + ".part").c_str());
  ::unlink(probe.c_str());
  if (written) {
    return Error{Errc::kIo, "it writes empty files"};
  }
  return Error{written.error().code, std::strerror(written.error().sys_errno),
               written.error().sys_errno};
}

Result<std::string> current_run(const std::string& stream_folder) {
  std::error_code fault;
  std::string run =
      fs::read_symlink(stream_folder + "/" + std::string(kCurrentName), fault).string();
  const std::string master = stream_folder + "/" + run + "/" + std::string(kMasterName);
  if (fault || !is_run_name(run) || ::access(master.c_str(), R_OK) != 0) {
    return Error{Errc::kNotFound, "nothing is live in " + stream_folder};
  }
  return run;
}

Result<LiveFile> open_live_file(const std::string& path) {
  LiveFile file;
  // Never waits for a fifo that somebody may have put there.
  file.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat found = {};
  if (!file.fd.valid() || ::fstat(file.fd.get(), &found) != 0) {
    return sys_error("open " + path, errno);
  }
  if (!S_ISREG(found.st_mode)) {
    return Error{Errc::kNotFound, path + " is no file"};
  }
  file.size = static_cast<std::uint64_t>(found.st_size);
  file.modified_ns = std::int64_t{found.st_mtim.tv_sec} * 1000000000 + found.st_mtim.tv_nsec;
  return file;
}

Status end_playlists(const std::string& run_folder, int playlists) {
  for (int i = 0; i < playlists; ++i) {
    const std::string path = media_playlist(run_folder, i);
    auto text = read_whole(path);
    if (!text) {
      if (text.error().code == Errc::kNotFound) {
        continue;
      }
      return std::move(text).error();
    }
    if (text.value().find(kEndList) == std::string::npos) {
      RECORDING_TRY(write_whole(path, text.value() + std::string(kEndList) + "\n"));
    }
  }
  return ok();
}

namespace {

// Of folders that somebody else may have put there nothing is touched.
void sweep_stream(const fs::path& stream, std::int64_t older_than_ms,
                  const std::function<bool(const std::string& run)>& in_use) {
  std::error_code ignored;
  bool ours = false;
  for (const fs::path& run : entries_of(stream)) {
    const std::string name = run.filename().string();
    if (!is_run_name(name) || !is_folder(run)) {
      continue;
    }
    ours = true;
    if (!in_use(name) && changed_wall_ms(run) <= older_than_ms) {
      fs::remove_all(run, ignored);
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
           const std::function<bool(const std::string& run)>& in_use) {
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
