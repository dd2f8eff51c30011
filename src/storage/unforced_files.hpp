#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/file.hpp"

namespace recording::storage {

// The files of `files`, nothing of which is forced to the disk: the kernel writes when it likes.
// Threads as of `files`, which must outlive it; the files it opened need not be outlived by it.
class UnforcedFiles final : public FileSystem {
 public:
  explicit UnforcedFiles(FileSystem& files) : files_(files) {}
  Result<std::unique_ptr<File>> create(const std::string& path) override;
  Result<std::unique_ptr<File>> open(const std::string& path) override;
  Result<std::unique_ptr<File>> open_for_read(const std::string& path) override;
  Status make_directories(const std::string& path) override {
    return files_.make_directories(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return files_.rename(from, to);
  }
  Status remove(const std::string& path) override { return files_.remove(path); }
  Status sync_directory(const std::string&) override { return ok(); }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return files_.list(path);
  }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return files_.free_bytes(path);
  }

 private:
  FileSystem& files_;
};

}  // namespace recording::storage
