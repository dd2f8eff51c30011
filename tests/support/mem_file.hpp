#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/file.hpp"

namespace recording::test {

// A file or a directory. An open file keeps its node when its name is removed, as in POSIX.
struct MemNode {
  bool directory = false;
  Bytes bytes;                                              // of a file
  std::map<std::string, std::shared_ptr<MemNode>> entries;  // of a directory
};

// A file system in memory with the errors of the real one. The root exists; "a/b", "/a/b" and
// "/a//b/" are the same path. One thread at a time.
class MemFileSystem final : public storage::FileSystem {
 public:
  MemFileSystem();

  Result<std::unique_ptr<storage::File>> create(const std::string& path) override;
  Result<std::unique_ptr<storage::File>> open(const std::string& path) override;
  Result<std::unique_ptr<storage::File>> open_for_read(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  // For tests: they need no open file and never fail.
  [[nodiscard]] bool exists(const std::string& path) const { return find(path) != nullptr; }
  [[nodiscard]] Bytes read(const std::string& path) const;  // empty if there is no such file
  void put(const std::string& path, Bytes bytes);           // makes its directories, may replace
  [[nodiscard]] std::vector<std::string> paths() const;     // of all files, sorted, "a/b"
  void set_free_bytes(std::uint64_t bytes) { free_bytes_ = bytes; }

  [[nodiscard]] std::shared_ptr<MemNode> find(const std::string& path) const;
  [[nodiscard]] const std::shared_ptr<MemNode>& root() const { return root_; }

 private:
  Result<std::unique_ptr<storage::File>> open_node(const std::string& path, bool writable);

  std::shared_ptr<MemNode> root_;
  std::uint64_t free_bytes_ = std::uint64_t{1} << 40;
};

}  // namespace recording::test
