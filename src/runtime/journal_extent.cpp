#include "runtime/journal_extent.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string_view>
#include <utility>

#include "runtime/file_lock.hpp"
#include "runtime/sys_error.hpp"

namespace recording::runtime {
namespace {

constexpr int kLockTimeoutMs = 2000;
constexpr int kNamesToTry = 100000;

// journal.{pid}.{n}
bool is_journal_name(std::string_view name) {
  constexpr std::string_view kPrefix = "journal.";
  if (name.substr(0, kPrefix.size()) != kPrefix) {
    return false;
  }
  name.remove_prefix(kPrefix.size());
  std::size_t dot = name.find('.');
  auto digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return dot != std::string_view::npos && digits(name.substr(0, dot)) &&
         digits(name.substr(dot + 1));
}

// How many segments may be added now. Caller holds the lock of the space.
Result<std::size_t> room(const std::string& directory, unsigned percent) {
  struct statvfs info = {};
  if (::statvfs(directory.c_str(), &info) != 0) {
    return sys_error("statvfs " + directory, errno);
  }
  std::uint64_t total = std::uint64_t{info.f_blocks} * info.f_frsize;
  std::uint64_t available = std::uint64_t{info.f_bavail} * info.f_frsize;
  if (total == 0) {  // a tmpfs without a limit, or a ramfs: what the machine has
    total = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
            static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    available = total;
  }
  std::uint64_t budget = total / 100 * percent;
  std::uint64_t used = 0;
  RECORDING_TRY(for_each_journal_file(
      directory, O_RDONLY, [&used](JournalFile& file) { used += file.allocated_bytes; }));
  std::uint64_t left = std::min(budget > used ? budget - used : 0, available);
  return static_cast<std::size_t>(left / kSegmentSize);
}

Result<UniqueFd> create_file(const std::string& directory, std::string& path) {
  std::string prefix = directory + "/journal." + std::to_string(::getpid()) + ".";
  // Not just the next number: a dead worker that had our pid may have left some.
  for (int i = 0; i < kNamesToTry; ++i) {
    path = prefix + std::to_string(i);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.valid()) {
      return fd;
    }
    if (errno != EEXIST) {
      break;
    }
  }
  return sys_error("create " + path, errno);
}

Result<std::uint8_t*> reserve_and_map(int fd, std::size_t size) {
  int error = 0;
  do {
    error = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
  } while (error == EINTR);
  if (error != 0) {
    return sys_error("reserve", error);
  }
  // MAP_POPULATE: the pages are zeroed and mapped here, in a thread, not at the first message.
  void* base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (base == MAP_FAILED) {
    return sys_error("mmap", errno);
  }
  return static_cast<std::uint8_t*>(base);
}

}  // namespace

Result<std::unique_ptr<Extent>> Extent::make(const std::string& directory, unsigned percent,
                                             std::size_t segments) {
  Result<UniqueFd> space = lock_journal_space(directory);
  if (!space) {
    return std::move(space).error();
  }
  Result<std::size_t> left = room(directory, percent);
  if (!left) {
    return std::move(left).error();
  }
  segments = std::min(segments, left.value());
  if (segments < kMinExtentSegments) {
    return Error{Errc::kNoSpace, "no room for a journal in " + directory};
  }
  std::string path;
  Result<UniqueFd> fd = create_file(directory, path);
  if (!fd) {
    return std::move(fd).error();
  }
  if (try_lock(fd.value().get()) != LockResult::kTaken) {
    Error error = sys_error("lock " + path, errno);
    ::unlink(path.c_str());
    return error;
  }
  Result<std::uint8_t*> base = reserve_and_map(fd.value().get(), segments * kSegmentSize);
  if (!base) {
    ::unlink(path.c_str());
    return std::move(base).error().wrap(path);
  }
  return std::unique_ptr<Extent>(
      new Extent(std::move(fd).value(), std::move(path), base.value(), segments));
}

Extent::Extent(UniqueFd fd, std::string path, std::uint8_t* base, std::size_t segments)
    : fd_(std::move(fd)), path_(std::move(path)), base_(base), segments_(segments) {
  free_.reserve(segments);
  for (std::size_t i = segments; i > 0; --i) {  // the first segment on top
    auto* header = ::new (base + (i - 1) * kSegmentSize) SegmentHeader();
    header->magic = kSegmentMagic;
    free_.push_back(static_cast<std::uint32_t>(i - 1));
  }
}

Extent::~Extent() {
  if (unused()) {
    ::unlink(path_.c_str());
  }
  ::munmap(base_, segments_ * kSegmentSize);
}

bool Extent::contains(const SegmentHeader* header) const {
  auto at = reinterpret_cast<std::uintptr_t>(header);
  auto base = reinterpret_cast<std::uintptr_t>(base_);
  return at >= base && at < base + segments_ * kSegmentSize;
}

SegmentHeader* Extent::take() noexcept {
  if (free_.empty()) {
    return nullptr;
  }
  std::size_t index = free_.back();
  free_.pop_back();
  return reinterpret_cast<SegmentHeader*>(base_ + index * kSegmentSize);
}

void Extent::give_back(SegmentHeader* header) noexcept {
  auto offset = static_cast<std::size_t>(reinterpret_cast<std::uint8_t*>(header) - base_);
  free_.push_back(static_cast<std::uint32_t>(offset / kSegmentSize));  // within what was reserved
}

Status for_each_journal_file(const std::string& directory, int flags,
                             const std::function<void(JournalFile&)>& visit) {
  DIR* listing = ::opendir(directory.c_str());
  if (listing == nullptr) {
    return sys_error("opendir " + directory, errno);
  }
  while (const dirent* entry = ::readdir(listing)) {
    if (!is_journal_name(entry->d_name)) {
      continue;
    }
    JournalFile file;
    file.path = directory + "/" + entry->d_name;
    file.fd = UniqueFd(::open(file.path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info = {};
    if (file.fd.valid() && ::fstat(file.fd.get(), &info) == 0 && S_ISREG(info.st_mode)) {
      file.segments = static_cast<std::size_t>(info.st_size) / kSegmentSize;
      file.allocated_bytes = static_cast<std::uint64_t>(info.st_blocks) * 512;
      visit(file);
    }
  }
  ::closedir(listing);
  return ok();
}

Result<UniqueFd> lock_journal_space(const std::string& directory) {
  return lock_within(directory + "/space.lock", kLockTimeoutMs);
}

}  // namespace recording::runtime
