#include "worker/privileges.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace recording::worker {
namespace {

constexpr int kNicer = 10;
// ioprio_set(2), for which there is no header: the lowest of the class "best effort".
constexpr int kIoProcess = 1, kIoBestEffort = 2 << 13, kIoLowest = 7;

Error error_of(const std::string& what) {
  const int number = errno;
  return {Errc::kUnavailable, what + ": " + std::strerror(number), number};
}

}  // namespace

Status become_owner_of(const std::string& folder) {
  struct stat info = {};
  if (::geteuid() != 0) {
    return ok();
  }
  if (::stat(folder.c_str(), &info) != 0) {
    return error_of(folder + ", whose owner to become");
  }
  const struct passwd* user = ::getpwuid(info.st_uid);
  const bool groups = user != nullptr ? ::initgroups(user->pw_name, info.st_gid) == 0
                                      : ::setgroups(0, nullptr) == 0;
  if (!groups || ::setgid(info.st_gid) != 0 || ::setuid(info.st_uid) != 0) {
    return error_of("become the owner of " + folder);
  }
  return ok();
}

void lower_priority() {
  (void)::nice(kNicer);
  (void)::syscall(SYS_ioprio_set, kIoProcess, 0, kIoBestEffort | kIoLowest);
}

}  // namespace recording::worker
