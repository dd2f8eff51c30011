#include "exporter/posix_read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace recording::exporter {
namespace {

Error system_error(const char* call, int sys_errno) {
  const bool absent = sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == ELOOP;
  return {absent ? Errc::kNotFound : Errc::kIo,
          std::string(call) + ": " + std::generic_category().message(sys_errno), sys_errno};
}

Error read_only() { return {Errc::kInvalidArgument, "the file is open for reading only"}; }

}  // namespace

Result<std::shared_ptr<PosixReadFile>> PosixReadFile::open(const std::string& path) {
  // O_NONBLOCK: a FIFO in the file's place must not hold a thread.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) {
    return system_error("open", errno);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) {
    return system_error("fstat", errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{Errc::kNotFound, "not a regular file"};
  }
  return std::shared_ptr<PosixReadFile>(new PosixReadFile(std::move(fd)));
}

Result<std::int64_t> PosixReadFile::modified_ns() const {
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) {
    return system_error("fstat", errno);
  }
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

bool PosixReadFile::removed() const noexcept {
  struct stat info {};
  return ::fstat(fd_.get(), &info) != 0 || info.st_nlink == 0;
}

Result<std::size_t> PosixReadFile::read_at(std::span<std::uint8_t> into, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t count = ::pread(fd_.get(), into.data() + done, into.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0) {
      break;
    } else if (errno != EINTR) {
      return system_error("read", errno);
    }
  }
  return done;
}

Result<std::uint64_t> PosixReadFile::size() {
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) {
    return system_error("fstat", errno);
  }
  return static_cast<std::uint64_t>(info.st_size);
}

Status PosixReadFile::write_at(std::span<const iovec> /*pieces*/, std::uint64_t /*offset*/) {
  return read_only();
}

Status PosixReadFile::sync() { return read_only(); }

Status PosixReadFile::truncate(std::uint64_t /*size*/) { return read_only(); }

}  // namespace recording::exporter
