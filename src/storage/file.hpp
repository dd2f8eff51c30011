#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace recording::storage {

// One open file. Every call may block: pool threads only, one thread at a time.
class File {
 public:
  virtual ~File() = default;
  // Reads until `into` is full or the file ends; returns how many bytes were read.
  virtual Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) = 0;
  // Writes all pieces at `offset`, or gives an Error (kNoSpace for ENOSPC and EDQUOT, else kIo);
  // after an Error any part may have been written, and the same call may be tried again.
  virtual Status write_at(std::span<const iovec> pieces, std::uint64_t offset) = 0;
  // A hint that sync() follows soon: writing back begins and is not waited for.
  virtual void begin_sync() {}
  // After ok() what was written, and the file's length, survive a power cut (fdatasync).
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
  // Makes this the one writer of the file on this machine, as long as it is open and its process
  // lives; kUnavailable: somebody else is. Readers, and those who do not claim it, are not kept
  // out.
  virtual Status claim() { return ok(); }
  // Whether somebody else has claimed it.
  virtual bool is_claimed() { return false; }
};

// What the recorder needs of a file system. Every call may block: pool threads only.
// kNotFound where the path does not exist; kConflict where create() or rename() finds one there.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;  // O_EXCL, 0640
  virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;    // read and write
  virtual Result<std::unique_ptr<File>> open_for_read(const std::string& path) = 0;
  // Like mkdir -p with mode 0750; a new name survives a power cut only after
  // sync_directory(parent).
  virtual Status make_directories(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;          // a file, or an empty directory
  virtual Status sync_directory(const std::string& path) = 0;  // makes names in it durable
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  // names, unsorted
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;       // for this user
};

}  // namespace recording::storage
