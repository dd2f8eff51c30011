#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace recording::runtime {

// Ownership of a stream (or of a house duty): a lock on a file in the runtime directory. The
// kernel frees it when the holder dies, whatever it was doing, so it holds over reloads, binary
// upgrades, and layouts of the live state. Never blocks.
//
// It is a lock of the open file description (see file_lock.hpp), so that asking is_held() can
// never make somebody's try_acquire() fail. The file goes with the lock, or names chosen at random
// would fill the tmpfs with inodes: who locks a file looks whether it still has its name.
class OwnerLock {
 public:
  // kConflict: another process (or another OwnerLock) holds it.
  static Result<OwnerLock> try_acquire(const std::string& path);
  // Whether somebody holds it now, without keeping it.
  static bool is_held(const std::string& path);

  OwnerLock(OwnerLock&& other) noexcept = default;
  OwnerLock& operator=(OwnerLock&& other) noexcept;
  ~OwnerLock();

 private:
  OwnerLock(UniqueFd fd, std::string path);
  UniqueFd fd_;
  std::string path_;
  pid_t pid_;  // a forked child's copy must not take the file away
};

// {runtime}/{key}.lock with a key that no name can escape from.
std::string stream_lock_path(const std::string& directory, std::string_view app,
                             std::string_view name);
std::string housekeeper_lock_path(const std::string& directory);

}  // namespace recording::runtime
