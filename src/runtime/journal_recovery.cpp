#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "runtime/file_lock.hpp"
#include "runtime/journal.hpp"
#include "runtime/journal_extent.hpp"
#include "runtime/sys_error.hpp"

namespace recording::runtime {
namespace {

// A SegmentHeader as it lies in the file.
struct StoredHeader {
  std::uint64_t magic = 0;
  std::uint64_t session = 0;
  std::uint64_t number = 0;
  std::uint32_t committed = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(StoredHeader) == sizeof(SegmentHeader));
static_assert(offsetof(StoredHeader, committed) == offsetof(SegmentHeader, committed));

bool read_fully(int fd, void* to, std::size_t size, std::size_t offset) {
  auto* at = static_cast<std::uint8_t*>(to);
  while (size > 0) {
    ssize_t got = ::pread(fd, at, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    at += got;
    offset += static_cast<std::size_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// False: no segment in use there.
bool read_header(int fd, std::size_t index, StoredHeader& header) {
  return read_fully(fd, &header, sizeof header, index * kSegmentSize) &&
         header.magic == kSegmentMagic && header.session != 0 && header.committed <= kSegmentData;
}

// Its writer may be alive and may give it to another session while we read.
bool read_segment(int fd, std::size_t index, std::uint64_t session, LeftSegment& out) {
  StoredHeader before;
  if (!read_header(fd, index, before) || before.session != session) {
    return false;
  }
  out.number = before.number;
  out.data.resize(before.committed);
  StoredHeader after;
  return read_fully(fd, out.data.data(), out.data.size(),
                    index * kSegmentSize + kSegmentHeaderSize) &&
         read_header(fd, index, after) && after.session == session &&
         after.number == before.number && after.committed >= before.committed;
}

Status free_segment(const JournalFile& file, std::size_t index) {
  const std::uint64_t nobody = 0;
  auto offset = static_cast<off_t>(index * kSegmentSize);
  if (::pwrite(file.fd.get(), &nobody, sizeof nobody,
               offset + static_cast<off_t>(offsetof(SegmentHeader, session))) !=
      static_cast<ssize_t>(sizeof nobody)) {
    return sys_error("write " + file.path, errno);
  }
  // The memory at once: the file stays as long as another session has a segment in it. Where the
  // file system cannot do that, it goes with the file.
  (void)::fallocate(file.fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
                    static_cast<off_t>(kSegmentSize));
  return ok();
}

}  // namespace

Result<std::vector<LeftSegment>> read_left_segments(const std::string& directory,
                                                    std::uint64_t session) {
  std::vector<LeftSegment> found;
  if (session == 0) {
    return found;
  }
  RECORDING_TRY(for_each_journal_file(directory, O_RDONLY, [&](JournalFile& file) {
    for (std::size_t i = 0; i < file.segments; ++i) {
      LeftSegment segment;
      if (read_segment(file.fd.get(), i, session, segment)) {
        found.push_back(std::move(segment));
      }
    }
  }));
  std::sort(found.begin(), found.end(),
            [](const LeftSegment& a, const LeftSegment& b) { return a.number < b.number; });
  return found;
}

Status release_left_segments(const std::string& directory, std::uint64_t session) {
  Status status = ok();
  if (session == 0) {
    return status;
  }
  RECORDING_TRY(for_each_journal_file(directory, O_RDWR, [&](JournalFile& file) {
    if (is_locked_by_other(file.fd.get())) {
      return;
    }
    for (std::size_t i = 0; i < file.segments; ++i) {
      StoredHeader header;
      if (!read_header(file.fd.get(), i, header) || header.session != session) {
        continue;
      }
      if (Status freed = free_segment(file, i); !freed) {
        status = std::move(freed);
      }
    }
  }));
  return status;
}

Status remove_dead_journals(const std::string& directory, std::span<const std::uint64_t> keep) {
  // No journal is being made meanwhile: one that is not locked yet would look dead.
  Result<UniqueFd> space = lock_journal_space(directory);
  if (!space) {
    return std::move(space).error();
  }
  Status status = ok();
  RECORDING_TRY(for_each_journal_file(directory, O_RDONLY, [&](JournalFile& file) {
    if (is_locked_by_other(file.fd.get())) {
      return;
    }
    for (std::size_t i = 0; i < file.segments; ++i) {
      StoredHeader header;
      if (read_header(file.fd.get(), i, header) &&
          std::find(keep.begin(), keep.end(), header.session) != keep.end()) {
        return;
      }
    }
    if (::unlink(file.path.c_str()) != 0 && errno != ENOENT) {
      status = sys_error("unlink " + file.path, errno);
    }
  }));
  return status;
}

}  // namespace recording::runtime
