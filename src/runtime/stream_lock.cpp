#include "runtime/stream_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "runtime/file_lock.hpp"
#include "runtime/sip_hash.hpp"
#include "runtime/sys_error.hpp"

namespace recording::runtime {
namespace {

// A file can lose its name between our open and our lock as often as its owner changes just then.
constexpr int kTries = 16;

UniqueFd open_lock_file(const std::string& path, int more_flags) {
  return UniqueFd(
      ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | more_flags, 0600));
}

bool has_this_name(int fd, const std::string& path) {
  struct stat opened = {};
  struct stat named = {};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

Result<OwnerLock> OwnerLock::try_acquire(const std::string& path) {
  for (int i = 0; i < kTries; ++i) {
    UniqueFd fd = open_lock_file(path, O_CREAT);
    if (!fd.valid()) {
      return sys_error("open " + path, errno);
    }
    LockResult result = try_lock(fd.get());
    if (result == LockResult::kFailed) {
      return sys_error("lock " + path, errno);
    }
    if (result == LockResult::kHeldByOther) {
      break;
    }
    if (has_this_name(fd.get(), path)) {
      return OwnerLock(std::move(fd), path);
    }
    // We locked a file that its last owner had just taken away: the lock protects nothing.
  }
  return Error{Errc::kConflict, path + " is held by another owner"};
}

bool OwnerLock::is_held(const std::string& path) {
  for (int i = 0; i < kTries; ++i) {
    UniqueFd fd = open_lock_file(path, 0);
    if (!fd.valid()) {
      return errno != ENOENT;  // what cannot be asked is left alone
    }
    if (is_locked_by_other(fd.get())) {
      return true;
    }
    if (has_this_name(fd.get(), path)) {
      return false;
    }
  }
  return true;
}

OwnerLock::OwnerLock(UniqueFd fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)), pid_(::getpid()) {}

OwnerLock& OwnerLock::operator=(OwnerLock&& other) noexcept {
  OwnerLock taken(std::move(other));
  std::swap(fd_, taken.fd_);
  std::swap(path_, taken.path_);
  std::swap(pid_, taken.pid_);
  return *this;
}

OwnerLock::~OwnerLock() {
  if (fd_.valid() && pid_ == ::getpid()) {
    ::unlink(path_.c_str());  // before the lock goes: nobody else can have it under this name yet
  }
}

std::string stream_lock_path(const std::string& directory, std::string_view app,
                             std::string_view name) {
  char key[33];
  std::snprintf(key, sizeof key, "%016" PRIx64 "%016" PRIx64,
                hash_stream_name(app, name, 0x6c6f636b2d68693a),
                hash_stream_name(app, name, 0x6c6f636b2d6c6f3a));
  return directory + "/" + key + ".lock";
}

std::string housekeeper_lock_path(const std::string& directory) {
  return directory + "/housekeeper.lock";
}

}  // namespace recording::runtime
