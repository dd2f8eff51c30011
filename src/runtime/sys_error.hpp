#pragma once

#include <cerrno>
#include <string>
#include <system_error>

#include "base/result.hpp"

namespace recording::runtime {

// What a failed system call means to a caller: "bind /dev/shm/x: Permission denied".
inline Error sys_error(const std::string& what, int error_number) {
  Errc code = Errc::kIo;
  if (error_number == ENOSPC || error_number == EDQUOT) {
    code = Errc::kNoSpace;
  } else if (error_number == ENOENT) {
    code = Errc::kNotFound;
  }
  return {code, what + ": " + std::generic_category().message(error_number), error_number};
}

}  // namespace recording::runtime
