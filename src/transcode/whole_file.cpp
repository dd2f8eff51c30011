#include "transcode/whole_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/unique_fd.hpp"
#include "runtime/sys_error.hpp"

namespace recording::transcode {

using runtime::sys_error;

Result<std::string> read_whole(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return sys_error("open " + path, errno);
  }
  std::string text;
  char piece[4096];
  ssize_t size = 0;
  while ((size = ::read(fd.get(), piece, sizeof piece)) != 0) {
    if (size < 0 && errno != EINTR) {
      return sys_error("read " + path, errno);
    }
    text.append(piece, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
  return text;
}

Status write_whole(const std::string& path, std::string_view text) {
  const std::string part = path + ".part";
  const UniqueFd fd(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) {
    return sys_error("open " + part, errno);
  }
  while (!text.empty()) {
    const ssize_t done = ::write(fd.get(), text.data(), text.size());
    if (done < 0 && errno != EINTR) {
      return sys_error("write " + part, errno);
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(done, 0)));
  }
  return ::rename(part.c_str(), path.c_str()) == 0 ? ok() : sys_error("rename " + part, errno);
}

}  // namespace recording::transcode
