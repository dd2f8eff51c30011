#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"

namespace recording::runtime {

// {runtime}: on tmpfs, mode 0700, owned by the worker user. Made by the master.
// check: kInvalidArgument with a sentence when `path` (or, while it does not exist, its nearest
// existing parent) is not on tmpfs, or belongs to another user than `owner` or root-made for it.
Status check_runtime_directory(const std::string& path, uid_t owner);
// check, then make it and give it to owner:group.
Status make_runtime_directory(const std::string& path, uid_t owner, gid_t group);

}  // namespace recording::runtime
