#include "runtime/file_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "runtime/sys_error.hpp"

namespace recording::runtime {
namespace {

struct flock whole_file() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;  // l_len 0: to the end, wherever it is; l_pid must be 0
}

}  // namespace

LockResult try_lock(int fd) noexcept {
  struct flock lock = whole_file();
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) {
    return LockResult::kTaken;
  }
  return errno == EAGAIN || errno == EACCES ? LockResult::kHeldByOther : LockResult::kFailed;
}

bool is_locked_by_other(int fd) noexcept {
  struct flock lock = whole_file();
  return ::fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

Result<UniqueFd> lock_within(const std::string& path, int timeout_ms) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!fd.valid()) {
    return sys_error("open " + path, errno);
  }
  // Asking again beats F_OFD_SETLKW: a holder that was stopped in a debugger cannot stop us.
  constexpr int kStepMs = 2;
  for (int waited = 0;; waited += kStepMs) {
    LockResult result = try_lock(fd.get());
    if (result == LockResult::kTaken) {
      return fd;
    }
    if (result == LockResult::kFailed) {
      return sys_error("lock " + path, errno);
    }
    if (waited >= timeout_ms) {
      return Error{Errc::kUnavailable, path + " is locked by another process"};
    }
    struct timespec step = {0, kStepMs * 1000000L};
    ::nanosleep(&step, nullptr);
  }
}

}  // namespace recording::runtime
