#include "runtime/live_state_file.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/unique_fd.hpp"
#include "runtime/file_lock.hpp"
#include "runtime/live_layout.hpp"
#include "runtime/sys_error.hpp"

namespace recording::runtime {
namespace {

constexpr char kMagic[8] = {'R', 'E', 'C', 'S', 'T', 'A', 'T', 'E'};
constexpr std::uint64_t kMaxZoneBytes = std::uint64_t{16} << 30;
constexpr int kLockTimeoutMs = 5000;
constexpr int kFilesSetAside = 8;

// A tmpfs does not outlive a boot, but a snapshot or a restored container may bring one back whose
// monotonic times and pids are those of another machine. Empty where /proc tells nothing.
void read_boot_id(char (&out)[40]) {
  std::memset(out, 0, sizeof out);
  UniqueFd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::read(fd.get(), out, sizeof out - 1) < 0) {
    std::memset(out, 0, sizeof out);
  }
}

bool is_ours(const StateHeader& header, std::uint64_t file_size) {
  char boot_id[40];
  read_boot_id(boot_id);
  return std::memcmp(header.magic, kMagic, sizeof kMagic) == 0 &&
         header.layout_version == kLayoutVersion && header.header_size == sizeof(StateHeader) &&
         header.stream_size == sizeof(StreamRecord) &&
         header.recording_size == sizeof(RecordingRecord) &&
         std::memcmp(header.boot_id, boot_id, sizeof boot_id) == 0 &&
         header.zone_bytes == file_size && header.stream_capacity == records_for_zone(file_size) &&
         header.recording_capacity == header.stream_capacity;
}

Result<MappedFile> map(int fd, std::uint64_t size, const std::string& path) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (address == MAP_FAILED) {
    return sys_error("mmap " + path, errno);
  }
  return MappedFile{address, size};
}

// kNotFound: there is none. kCorrupt: there is one that does not fit.
Result<MappedFile> map_existing(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) {
    return errno == ELOOP ? Error{Errc::kCorrupt, path + " is a symbolic link", ELOOP}
                          : sys_error("open " + path, errno);
  }
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) {
    return sys_error("stat " + path, errno);
  }
  auto size = static_cast<std::uint64_t>(std::max<off_t>(info.st_size, 0));
  if (!S_ISREG(info.st_mode) || size < kMinZoneBytes || size > kMaxZoneBytes) {
    return Error{Errc::kCorrupt, path + " is not a live state"};
  }
  Result<MappedFile> mapped = map(fd.get(), size, path);
  if (mapped && !is_ours(*static_cast<StateHeader*>(mapped.value().address), size)) {
    ::munmap(mapped.value().address, size);
    return Error{Errc::kCorrupt, path + " is a live state of another layout or boot"};
  }
  return mapped;
}

Status init_mutex(pthread_mutex_t& mutex) {
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  // A transaction inside a transaction is told so instead of waiting for itself.
  ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  int error = ::pthread_mutex_init(&mutex, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  if (error != 0) {
    return sys_error("pthread_mutex_init", error);
  }
  return ok();
}

Status initialise(void* address, std::uint64_t zone_bytes) {
  std::int32_t capacity = records_for_zone(zone_bytes);
  auto* header = ::new (address) StateHeader();
  std::memcpy(header->magic, kMagic, sizeof kMagic);
  header->layout_version = kLayoutVersion;
  header->header_size = sizeof(StateHeader);
  header->stream_size = sizeof(StreamRecord);
  header->recording_size = sizeof(RecordingRecord);
  read_boot_id(header->boot_id);
  header->zone_bytes = zone_bytes;
  header->stream_capacity = capacity;
  header->recording_capacity = capacity;
  header->shared.spool_free_bytes.set(-1);
  StateView view = view_of(address, capacity);
  for (std::int32_t i = 0; i < capacity; ++i) {
    ::new (&view.streams[i]) StreamRecord();
    ::new (&view.recordings[i]) RecordingRecord();
    view.recording_stream[i] = kNone;  // the other keys are 0, as the file is
  }
  return init_mutex(header->mutex);
}

// Complete before it gets its name, so nobody ever opens half of one.
Result<MappedFile> create(const std::string& path, std::uint64_t zone_bytes) {
  std::string draft = path + ".new";
  ::unlink(draft.c_str());  // left by one that was killed here; the lock says it is not in use
  UniqueFd fd(::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return sys_error("create " + draft, errno);
  }
  // Every page now: a store to a page that a full tmpfs cannot give would be a SIGBUS.
  if (int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(zone_bytes)); error != 0) {
    ::unlink(draft.c_str());
    return sys_error("reserve " + std::to_string(zone_bytes) + " bytes for " + path, error);
  }
  Result<MappedFile> mapped = map(fd.get(), zone_bytes, draft);
  if (!mapped) {
    ::unlink(draft.c_str());
    return mapped;
  }
  Status status = initialise(mapped.value().address, zone_bytes);
  if (status && ::rename(draft.c_str(), path.c_str()) != 0) {
    status = sys_error("rename " + draft, errno);
  }
  if (!status) {
    ::munmap(mapped.value().address, zone_bytes);
    ::unlink(draft.c_str());
    return std::move(status).error();
  }
  return mapped;
}

// Kept for whoever still has it mapped under that layout, and for people who look for the cause.
// The last name is used again and again: these files take memory.
Status set_aside(const std::string& path) {
  for (int i = 1; i <= kFilesSetAside; ++i) {
    std::string aside = path + "." + std::to_string(i) + ".old";
    struct stat info = {};
    if (i < kFilesSetAside && ::lstat(aside.c_str(), &info) == 0) {
      continue;
    }
    if (::rename(path.c_str(), aside.c_str()) != 0) {
      return sys_error("rename " + path, errno);
    }
    break;
  }
  return ok();
}

}  // namespace

Result<MappedFile> map_live_state(const std::string& directory, std::uint64_t zone_bytes) {
  if (zone_bytes < kMinZoneBytes || zone_bytes > kMaxZoneBytes) {
    return Error{Errc::kInvalidArgument, "a zone of " + std::to_string(zone_bytes) +
                                             " bytes: 64k is the least, 16g the most"};
  }
  std::string path = directory + "/state";
  Result<MappedFile> mapped = map_existing(path);
  if (mapped) {
    return mapped;
  }
  // Nothing under that name that fits: one process at a time changes that. The lock file stays for
  // good, so there is no question of whose it is.
  Result<UniqueFd> lock = lock_within(path + ".lock", kLockTimeoutMs);
  if (!lock) {
    return std::move(lock).error();
  }
  mapped = map_existing(path);
  if (mapped) {
    return mapped;
  }
  if (mapped.error().code == Errc::kCorrupt) {
    RECORDING_TRY(set_aside(path));
  } else if (mapped.error().code != Errc::kNotFound) {
    return mapped;
  }
  return create(path, zone_bytes);
}

}  // namespace recording::runtime
