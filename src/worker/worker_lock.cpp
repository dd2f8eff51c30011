#include "worker/worker_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/strings.hpp"
#include "runtime/file_lock.hpp"

namespace recording::worker {
namespace {

constexpr std::size_t kHolderSize = 32;

Error error_of(const std::string& what, int number) {
  return {Errc::kUnavailable, what + ": " + std::strerror(number), number};
}

}  // namespace

Result<WorkerLock> WorkerLock::open(const std::string& runtime) {
  std::string path = runtime + "/worker.lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return error_of("open " + path, errno);
  }
  return WorkerLock(std::move(path), std::move(fd));
}

Result<bool> WorkerLock::try_take() {
  switch (runtime::try_lock(fd_.get())) {
    case runtime::LockResult::kHeldByOther:
      return false;
    case runtime::LockResult::kFailed:
      return error_of("lock " + path_, errno);
    case runtime::LockResult::kTaken:
      break;
  }
  RECORDING_TRY(read_holder());
  return true;
}

Status WorkerLock::read_holder() {
  std::array<char, kHolderSize> text{};
  if (::pread(fd_.get(), text.data(), text.size(), 0) == ssize_t{kHolderSize}) {
    holder_.assign(text.data(), text.size());
    return ok();
  }
  holder_ = random_id();
  if (::pwrite(fd_.get(), holder_.data(), holder_.size(), 0) != ssize_t{kHolderSize}) {
    return error_of("write " + path_, errno);
  }
  return ok();
}

}  // namespace recording::worker
