#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/file.hpp"

namespace recording::test {

// Another file system, for a test to override what it wants to be different.
class ForwardingFiles : public storage::FileSystem {
 public:
  explicit ForwardingFiles(storage::FileSystem& files) : files_(files) {}
  Result<std::unique_ptr<storage::File>> create(const std::string& path) override {
    return files_.create(path);
  }
  Result<std::unique_ptr<storage::File>> open(const std::string& path) override {
    return files_.open(path);
  }
  Result<std::unique_ptr<storage::File>> open_for_read(const std::string& path) override {
    return files_.open_for_read(path);
  }
  Status make_directories(const std::string& path) override {
    return files_.make_directories(path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    return files_.rename(from, to);
  }
  Status remove(const std::string& path) override { return files_.remove(path); }
  Status sync_directory(const std::string& path) override { return files_.sync_directory(path); }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return files_.list(path);
  }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return files_.free_bytes(path);
  }

 private:
  storage::FileSystem& files_;
};

}  // namespace recording::test
