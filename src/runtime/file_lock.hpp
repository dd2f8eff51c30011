#pragma once

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

// Locks of open file descriptions (fcntl(2), F_OFD_SETLK). Like flock(2) they belong to the open
// file and go when its last descriptor does, however the process ends. Unlike flock(2) one can ask
// whether somebody holds it without taking it for a moment, and so without getting in the way of
// the one who really wants it.
namespace recording::runtime {

enum class LockResult { kTaken, kHeldByOther, kFailed };

// Exclusive, over the whole file; `fd` must be open for writing. kFailed: see errno.
LockResult try_lock(int fd) noexcept;

// Whether an open file other than `fd` holds it. An unknown answer counts as held.
bool is_locked_by_other(int fd) noexcept;

// A lock that is held for a few ms, on a file that stays for good: waits at most `timeout_ms`, then
// kUnavailable. It goes with the descriptor.
Result<UniqueFd> lock_within(const std::string& path, int timeout_ms);

}  // namespace recording::runtime
