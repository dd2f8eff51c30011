#include "storage/posix_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/unique_fd.hpp"

namespace recording::storage {
namespace {

Errc code_of(int sys_errno) {
  switch (sys_errno) {
    case ENOENT:
    case ENOTDIR:
      return Errc::kNotFound;
    case EEXIST:
      return Errc::kConflict;
    case ENOSPC:
    case EDQUOT:
      return Errc::kNoSpace;
    default:
      return Errc::kIo;
  }
}

Error failure(std::string_view what, int sys_errno) {
  return Error{code_of(sys_errno),
               std::string(what) + ": " + std::generic_category().message(sys_errno), sys_errno};
}

Error failure(std::string_view what, const std::string& path, int sys_errno) {
  return failure(std::string(what) + " " + path, sys_errno);
}

// Calls again while a signal interrupts. (close() is not such a call: Linux frees the descriptor.)
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

class PosixFile final : public File {
 public:
  explicit PosixFile(UniqueFd fd) : fd_(std::move(fd)) {}

  Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = retry([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (got < 0) {
        return failure("read", errno);
      }
      if (got == 0) {
        break;
      }
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override {
    std::size_t index = 0;  // the first piece that is not wholly written, and what is of it
    std::size_t written = 0;
    while (true) {
      std::array<iovec, IOV_MAX> batch;
      std::size_t count = 0;
      for (std::size_t i = index; i < pieces.size() && count < batch.size(); ++i) {
        const std::size_t from = i == index ? written : 0;
        if (pieces[i].iov_len > from) {
          batch[count++] = {static_cast<std::uint8_t*>(pieces[i].iov_base) + from,
                            pieces[i].iov_len - from};
        }
      }
      if (count == 0) {
        return ok();
      }
      const ssize_t put = retry([&] {
        return ::pwritev(fd_.get(), batch.data(), static_cast<int>(count),
                         static_cast<off_t>(offset));
      });
      if (put <= 0) {
        return failure("write", put < 0 ? errno : EIO);
      }
      offset += static_cast<std::uint64_t>(put);
      written += static_cast<std::size_t>(put);
      while (index < pieces.size() && written >= pieces[index].iov_len) {
        written -= pieces[index++].iov_len;
      }
    }
  }

  void begin_sync() override {
    (void)::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);  // sync() tells of errors
  }

  Status sync() override {
    if (retry([&] { return ::fdatasync(fd_.get()); }) < 0) {
      return failure("sync", errno);
    }
    return ok();
  }

  Status truncate(std::uint64_t size) override {
    if (retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) < 0) {
      return failure("truncate", errno);
    }
    return ok();
  }

  Result<std::uint64_t> size() override {
    struct stat status {};
    if (::fstat(fd_.get(), &status) < 0) {
      return failure("size", errno);
    }
    return static_cast<std::uint64_t>(status.st_size);
  }

  // An open-file-description lock: freed by the kernel, whatever ends the holder. A file system
  // that has no locks keeps nobody from recording.
  Status claim() override {
    struct flock lock = whole_file(F_WRLCK);
    if (::fcntl(fd_.get(), F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES)) {
      return Error{Errc::kUnavailable, "another process writes the file", errno};
    }
    return ok();
  }

  // Asks for a reader's lock, as the file may be open for reading only.
  bool is_claimed() override {
    struct flock lock = whole_file(F_RDLCK);
    return ::fcntl(fd_.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  }

 private:
  static struct flock whole_file(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
  }

  UniqueFd fd_;
};

// O_NONBLOCK: a FIFO somebody put there must not hang the thread; regular files ignore it.
Result<std::unique_ptr<File>> open_file(const std::string& path, int flags) {
  UniqueFd fd(retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0640); }));
  if (!fd.valid()) {
    return failure("open", path, errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) < 0) {
    return failure("open", path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return failure("open", path, S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  }
  return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd)));
}

// For file systems without RENAME_NOREPLACE (NFS, some FUSE). A crash between the two calls leaves
// both names on the one file.
int rename_by_link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) < 0) {
    return -1;
  }
  if (::unlink(from.c_str()) < 0) {
    const int saved = errno;
    (void)::unlink(to.c_str());
    errno = saved;
    return -1;
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::create(const std::string& path) {
  return open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
}

Result<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path) {
  return open_file(path, O_RDWR);
}

Result<std::unique_ptr<File>> PosixFileSystem::open_for_read(const std::string& path) {
  return open_file(path, O_RDONLY);
}

Status PosixFileSystem::make_directories(const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (part.empty() || (::mkdir(part.c_str(), 0750) < 0 && errno != EEXIST)) {
      // Where a parent exists that we may not write to, what counts is whether this one exists too.
      const int saved = part.empty() ? ENOENT : errno;
      struct stat status {};
      if (part.empty() || ::stat(part.c_str(), &status) < 0) {
        return failure("make directory", path, saved);
      }
    }
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) < 0) {
    return failure("make directory", path, errno);
  }
  return S_ISDIR(status.st_mode) ? ok() : failure("make directory", path, ENOTDIR);
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  int result = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  if (result < 0 && (errno == EINVAL || errno == ENOSYS)) {
    result = rename_by_link(from, to);
  }
  if (result < 0) {
    return failure("rename", from + " to " + to, errno);
  }
  return ok();
}

Status PosixFileSystem::remove(const std::string& path) {
  if (::remove(path.c_str()) < 0) {
    return failure("remove", path, errno == EEXIST ? ENOTEMPTY : errno);
  }
  return ok();
}

Status PosixFileSystem::sync_directory(const std::string& path) {
  const UniqueFd fd(
      retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.valid()) {
    return failure("open directory", path, errno);
  }
  // EINVAL: a file system whose directories need no sync, or cannot have one
  if (retry([&] { return ::fsync(fd.get()); }) < 0 && errno != EINVAL) {
    return failure("sync directory", path, errno);
  }
  return ok();
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) {
  UniqueFd fd(retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.valid()) {
    return failure("open directory", path, errno);
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd.get()), &::closedir);
  if (!directory) {
    return failure("open directory", path, errno);
  }
  (void)fd.release();  // the stream owns it now
  std::vector<std::string> names;
  errno = 0;
  // one stream, one thread: readdir() is safe here
  while (const dirent* entry = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    if (const std::string_view name = entry->d_name; name != "." && name != "..") {
      names.emplace_back(name);
    }
    errno = 0;
  }
  if (errno != 0) {
    return failure("read directory", path, errno);
  }
  return names;
}

Result<std::uint64_t> PosixFileSystem::free_bytes(const std::string& path) {
  struct statvfs status {};
  if (retry([&] { return ::statvfs(path.c_str(), &status); }) < 0) {
    return failure("free space", path, errno);
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace recording::storage
