#include "runtime/runtime_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "base/unique_fd.hpp"
#include "runtime/sys_error.hpp"

namespace recording::runtime {
namespace {

Error refuse(const std::string& path, std::string_view why) {
  return {Errc::kInvalidArgument, "runtime directory " + path + " " + std::string(why)};
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

std::string parent_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : without_trailing_slashes(path.substr(0, slash));
}

bool is_memory(const struct statfs& info) {
  return info.f_type == static_cast<decltype(info.f_type)>(TMPFS_MAGIC) ||
         info.f_type == static_cast<decltype(info.f_type)>(RAMFS_MAGIC);
}

bool is_empty(int directory_fd) {
  int fd = ::openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* directory = fd < 0 ? nullptr : ::fdopendir(fd);
  if (directory == nullptr) {
    UniqueFd closer(fd);
    return false;
  }
  bool empty = true;
  while (const dirent* entry = ::readdir(directory)) {
    std::string_view name = entry->d_name;
    empty = empty && (name == "." || name == "..");
  }
  ::closedir(directory);
  return empty;
}

// All questions go to one descriptor, so that nobody can swap the directory between two of them.
Status check_existing(const std::string& path, int fd, uid_t owner) {
  struct statfs filesystem = {};
  struct stat info = {};
  if (::fstatfs(fd, &filesystem) != 0 || ::fstat(fd, &info) != 0) {
    return sys_error("stat " + path, errno);
  }
  if (!is_memory(filesystem)) {
    return refuse(path, "is not on tmpfs: a slow disk would stop the recordings");
  }
  if (info.st_uid == owner) {
    return ok();
  }
  if (info.st_uid != 0) {
    return refuse(path, "belongs to another user: uid " + std::to_string(info.st_uid) +
                            " instead of " + std::to_string(owner));
  }
  if (!is_empty(fd)) {
    return refuse(path, "belongs to root and is not empty");
  }
  return ok();
}

Status check_parent(const std::string& path) {
  std::string parent = parent_of(path);
  struct statfs filesystem = {};
  while (::statfs(parent.c_str(), &filesystem) != 0) {
    if (errno != ENOENT || parent == "/") {
      return sys_error("statfs " + parent, errno);
    }
    parent = parent_of(parent);
  }
  if (!is_memory(filesystem)) {
    return refuse(path, "is not on tmpfs: a slow disk would stop the recordings");
  }
  return ok();
}

Result<UniqueFd> open_directory(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOTDIR || errno == ELOOP) {
      return refuse(path, "is not a directory (a symbolic link is not followed)");
    }
    return sys_error("open " + path, errno);
  }
  return fd;
}

Status make_parents(const std::string& path) {
  std::string parent = parent_of(path);
  struct stat info = {};
  if (::stat(parent.c_str(), &info) == 0) {
    return ok();
  }
  RECORDING_TRY(make_parents(parent));
  if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) {
    return sys_error("mkdir " + parent, errno);
  }
  return ok();
}

}  // namespace

Status check_runtime_directory(const std::string& given, uid_t owner) {
  if (given.empty() || given.front() != '/') {
    return refuse(given, "must be an absolute path");
  }
  std::string path = without_trailing_slashes(given);
  Result<UniqueFd> fd = open_directory(path);
  if (fd) {
    return check_existing(path, fd.value().get(), owner);
  }
  return fd.error().code == Errc::kNotFound ? check_parent(path) : Status(std::move(fd).error());
}

Status make_runtime_directory(const std::string& given, uid_t owner, gid_t group) {
  RECORDING_TRY(check_runtime_directory(given, owner));
  std::string path = without_trailing_slashes(given);
  RECORDING_TRY(make_parents(path));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return sys_error("mkdir " + path, errno);
  }
  Result<UniqueFd> fd = open_directory(path);
  if (!fd) {
    return std::move(fd).error();
  }
  // Again, for this very directory: another may have made it since the first check. One that we
  // made as an unprivileged user, or as root, passes.
  RECORDING_TRY(check_existing(path, fd.value().get(), owner));
  if (::fchmod(fd.value().get(), 0700) != 0) {
    return sys_error("chmod " + path, errno);
  }
  struct stat info = {};
  if (::fstat(fd.value().get(), &info) != 0 || ((info.st_uid != owner || info.st_gid != group) &&
                                                ::fchown(fd.value().get(), owner, group) != 0)) {
    return sys_error("chown " + path, errno);
  }
  return ok();
}

}  // namespace recording::runtime
