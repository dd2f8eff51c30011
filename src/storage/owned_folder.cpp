#include "storage/owned_folder.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace recording::storage {
namespace {

// The file permissions of another user, for the calling thread, while it lives. Only root can take
// them; for everyone else this does nothing and the checks are made as oneself.
class ActingAs {
 public:
  explicit ActingAs(const Owner& owner) : active_(geteuid() == 0) {
    if (!active_) {
      return;
    }
    const int count = getgroups(0, nullptr);
    groups_.resize(count > 0 ? static_cast<std::size_t>(count) : 0u);
    (void)getgroups(count, groups_.data());
    (void)setgroups(owner.groups.size(), owner.groups.data());
    gid_ = static_cast<gid_t>(setfsgid(owner.gid));
    uid_ = static_cast<uid_t>(setfsuid(owner.uid));
  }
  ~ActingAs() {
    if (active_) {
      setfsuid(uid_);
      setfsgid(gid_);
      (void)setgroups(groups_.size(), groups_.data());
    }
  }
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  bool active_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::vector<gid_t> groups_;
};

Error fault(const std::string& path, const char* what, int sys_errno = 0) {
  return {Errc::kInvalidArgument, "\"" + path + "\" " + what, sys_errno};
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

// 0, or the errno that making a file in the folder would meet (EACCES, EROFS, …).
int try_access(const std::string& path) {
  return faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

Status check_usable(const std::string& path, const Owner& owner) {
  int failure = 0;
  {
    const ActingAs acting(owner);
    failure = try_access(path);
  }
  if (failure == 0) {
    return ok();
  }
  if (failure == EROFS) {
    return fault(path, "is on a file system that is mounted read-only", failure);
  }
  return Error{Errc::kInvalidArgument,
               "\"" + path + "\" cannot be written by the user of the workers (uid " +
                   std::to_string(owner.uid) + "): chown it, or choose another folder",
               failure};
}

// The missing folders from the outermost to `path` itself; empty when it exists.
Result<std::vector<std::string>> missing_folders(const std::string& path) {
  std::vector<std::string> missing;
  for (std::string at = path;; at = parent_of(at)) {
    struct stat info {};
    if (stat(at.c_str(), &info) == 0) {
      if (!S_ISDIR(info.st_mode)) {
        return fault(at, "is not a folder");
      }
      return std::vector<std::string>(missing.rbegin(), missing.rend());
    }
    if (errno != ENOENT || at == "/") {
      return fault(at, "cannot be examined", errno);
    }
    missing.push_back(at);
  }
}

Status make_one(const std::string& path, const Owner& owner) {
  if (mkdir(path.c_str(), 0750) != 0) {
    if (errno == EEXIST) {
      return ok();
    }
    return fault(path, "cannot be made", errno);
  }
  // mkdir is subject to the umask.
  if (chmod(path.c_str(), 0750) != 0) {
    return fault(path, "cannot be given its mode", errno);
  }
  if (geteuid() == 0 && chown(path.c_str(), owner.uid, owner.gid) != 0) {
    return fault(path, "cannot be given to the user of the workers", errno);
  }
  return ok();
}

}  // namespace

Owner owner_of(uid_t uid, gid_t gid, const char* name) {
  Owner owner{uid, gid, {gid}};
  if (name == nullptr) {
    return owner;
  }
  int count = 32;
  owner.groups.resize(32);
  while (getgrouplist(name, gid, owner.groups.data(), &count) < 0) {
    if (count <= static_cast<int>(owner.groups.size())) {
      count = 2 * static_cast<int>(owner.groups.size());
    }
    owner.groups.resize(static_cast<std::size_t>(count));
  }
  owner.groups.resize(static_cast<std::size_t>(count));
  return owner;
}

Status check_folder(const std::string& path, const Owner& owner) {
  auto missing = missing_folders(path);
  if (!missing) {
    return std::move(missing.error());
  }
  if (missing.value().empty()) {
    return check_usable(path, owner);
  }
  const std::string nearest = parent_of(missing.value().front());
  const int failure = try_access(nearest);
  if (failure == EROFS) {
    return fault(path, "cannot be made: its file system is mounted read-only", failure);
  }
  if (failure != 0) {
    return Error{Errc::kInvalidArgument,
                 "\"" + path + "\" does not exist and cannot be made in \"" + nearest + "\"",
                 failure};
  }
  return ok();
}

Status make_folder(const std::string& path, const Owner& owner) {
  RECORDING_TRY(check_folder(path, owner));
  auto missing = missing_folders(path);
  if (!missing) {
    return std::move(missing.error());
  }
  for (const std::string& folder : missing.value()) {
    RECORDING_TRY(make_one(folder, owner));
  }
  return check_usable(path, owner);
}

}  // namespace recording::storage
