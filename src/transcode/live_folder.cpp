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
#include <utility>

#include "base/strings.hpp"
#include "runtime/sys_error.hpp"
#include "transcode/ladder.hpp"
#include "transcode/session_reader.hpp"
#include "transcode/whole_file.hpp"

namespace recording::transcode {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSessionNameSize = 32;
constexpr std::size_t kRunDigits = 6;
constexpr int kTimeDigits = 12;
constexpr std::string_view kEndList = "#EXT-X-ENDLIST";  // RFC 8216, 4.3.3.4
// A sweep may take away an empty folder just when somebody is about to use it.
constexpr int kTries = 8;

using runtime::sys_error;

std::string media_playlist(const std::string& folder, int index) {
  return folder + "/" + media_playlist_name(static_cast<std::size_t>(index));
}

// Players are sent to `run`; never back to an earlier one, should two sessions overlap.
Status show_run(const std::string& stream_folder, const RunPath& run) {
  const std::string link = stream_folder + "/" + std::string(kCurrentName);
  std::error_code fault;
  const std::string shown = fs::read_symlink(link, fault).string();
  if (!fault && shown >= run.text()) {
    return ok();
  }
  const std::string part = link + "." + run.session + "." + run.run;
  if (::symlink(run.text().c_str(), part.c_str()) != 0 && errno != EEXIST) {
    return sys_error("symlink " + part, errno);
  }
  return ::rename(part.c_str(), link.c_str()) == 0 ? ok() : sys_error("rename " + part, errno);
}

// What the playlists of the session list now is where the playlists of `run` go on.
Status leave_before(const std::string& session_folder, const std::string& run) {
  const std::string last = last_played_run(session_folder);
  for (std::size_t i = 0; !last.empty(); ++i) {
    const std::string file = media_playlist_name(i);
    auto text = read_media_playlist(session_folder, last, file);
    if (!text) {
      return text.error().code == Errc::kNotFound ? ok() : Status(std::move(text).error());
    }
    RECORDING_TRY(write_whole(session_folder + "/" + run + "/" + before_name(file), text.value()));
  }
  return ok();
}

}  // namespace

std::string new_session_name(std::int64_t wall_ms) {
  char time[kTimeDigits + 1];
  std::snprintf(time, sizeof time, "%0*llx", kTimeDigits,
                static_cast<unsigned long long>(wall_ms) & 0xFFFFFFFFFFFF);
  return time + random_id().substr(kTimeDigits);
}

bool is_session_name(std::string_view text) {
  return text.size() == kSessionNameSize &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string run_name(int number) {
  const std::string digits = std::to_string(number);
  return std::string(kRunDigits - std::min(kRunDigits, digits.size()), '0') + digits;
}

bool is_run_name(std::string_view text) {
  return text.size() == kRunDigits &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string stream_folder(const std::string& path, std::string_view app, std::string_view name) {
  return path + "/" + path_component(app) + "/" + path_component(name);
}

Status make_run_folder(const std::string& stream_folder, const RunPath& run, bool first) {
  const std::string folder = stream_folder + "/" + run.text();
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
  return first ? show_run(stream_folder, run)
               : leave_before(stream_folder + "/" + run.session, run.run);
}

Status publish_master(const std::string& stream_folder, const RunPath& run, int playlists,
                      const std::string& text) {
  const std::string folder = stream_folder + "/" + run.text();
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

Result<RunPath> current_run(const std::string& stream_folder) {
  std::error_code fault;
  const fs::path shown = fs::read_symlink(stream_folder + "/" + std::string(kCurrentName), fault);
  RunPath run{shown.parent_path().string(), shown.filename().string()};
  const std::string master = stream_folder + "/" + run.text() + "/" + std::string(kMasterName);
  if (fault || !is_session_name(run.session) || !is_run_name(run.run) ||
      ::access(master.c_str(), R_OK) != 0) {
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

}  // namespace recording::transcode
