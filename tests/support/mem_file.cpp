#include "mem_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace recording::test {
namespace {

Error failure(Errc code, const std::string& path, int sys_errno) {
  return Error{code, path + ": " + std::strerror(sys_errno), sys_errno};
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (const std::string name = path.substr(begin, end - begin); !name.empty() && name != ".") {
      names.push_back(name);
    }
    begin = end + 1;
  }
  return names;
}

std::shared_ptr<MemNode> walk(const std::shared_ptr<MemNode>& root,
                              const std::vector<std::string>& names) {
  std::shared_ptr<MemNode> node = root;
  for (const std::string& name : names) {
    const auto entry = node->entries.find(name);
    if (entry == node->entries.end()) {
      return nullptr;
    }
    node = entry->second;
  }
  return node;
}

// The directory that holds `path`, or null, and the last name.
std::pair<std::shared_ptr<MemNode>, std::string> parent_of(const std::shared_ptr<MemNode>& root,
                                                           const std::string& path) {
  std::vector<std::string> names = split(path);
  if (names.empty()) {
    return {nullptr, ""};
  }
  std::string last = names.back();
  names.pop_back();
  std::shared_ptr<MemNode> directory = walk(root, names);
  if (directory && !directory->directory) {
    directory = nullptr;
  }
  return {directory, std::move(last)};
}

class MemFile final : public storage::File {
 public:
  MemFile(std::shared_ptr<MemNode> node, bool writable)
      : node_(std::move(node)), writable_(writable) {}

  Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) override {
    const Bytes& bytes = node_->bytes;
    if (offset >= bytes.size()) {
      return std::size_t{0};
    }
    const std::size_t count = std::min<std::size_t>(into.size(), bytes.size() - offset);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
    return count;
  }

  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override {
    if (!writable_) {
      return failure(Errc::kIo, "write", EBADF);
    }
    for (const iovec& piece : pieces) {
      if (piece.iov_len == 0) {
        continue;
      }
      Bytes& bytes = node_->bytes;
      bytes.resize(std::max<std::size_t>(bytes.size(), offset + piece.iov_len));
      std::memcpy(bytes.data() + offset, piece.iov_base, piece.iov_len);
      offset += piece.iov_len;
    }
    return ok();
  }

  Status sync() override { return ok(); }

  Status truncate(std::uint64_t size) override {
    if (!writable_) {
      return failure(Errc::kIo, "truncate", EBADF);
    }
    node_->bytes.resize(size);
    return ok();
  }

  Result<std::uint64_t> size() override { return std::uint64_t{node_->bytes.size()}; }

 private:
  std::shared_ptr<MemNode> node_;
  bool writable_;
};

void collect(const MemNode& directory, const std::string& prefix, std::vector<std::string>& into) {
  for (const auto& [name, node] : directory.entries) {
    if (node->directory) {
      collect(*node, prefix + name + "/", into);
    } else {
      into.push_back(prefix + name);
    }
  }
}

}  // namespace

MemFileSystem::MemFileSystem() : root_(std::make_shared<MemNode>()) { root_->directory = true; }

std::shared_ptr<MemNode> MemFileSystem::find(const std::string& path) const {
  return walk(root_, split(path));
}

Result<std::unique_ptr<storage::File>> MemFileSystem::create(const std::string& path) {
  const auto [directory, name] = parent_of(root_, path);
  if (!directory) {
    return failure(Errc::kNotFound, path, ENOENT);
  }
  if (directory->entries.contains(name)) {
    return failure(Errc::kConflict, path, EEXIST);
  }
  auto node = std::make_shared<MemNode>();
  directory->entries[name] = node;
  return std::unique_ptr<storage::File>(std::make_unique<MemFile>(std::move(node), true));
}

Result<std::unique_ptr<storage::File>> MemFileSystem::open_node(const std::string& path,
                                                                bool writable) {
  std::shared_ptr<MemNode> node = find(path);
  if (!node) {
    return failure(Errc::kNotFound, path, ENOENT);
  }
  if (node->directory) {
    return failure(Errc::kIo, path, EISDIR);
  }
  return std::unique_ptr<storage::File>(std::make_unique<MemFile>(std::move(node), writable));
}

Result<std::unique_ptr<storage::File>> MemFileSystem::open(const std::string& path) {
  return open_node(path, true);
}

Result<std::unique_ptr<storage::File>> MemFileSystem::open_for_read(const std::string& path) {
  return open_node(path, false);
}

Status MemFileSystem::make_directories(const std::string& path) {
  std::shared_ptr<MemNode> node = root_;
  for (const std::string& name : split(path)) {
    std::shared_ptr<MemNode>& entry = node->entries[name];
    if (!entry) {
      entry = std::make_shared<MemNode>();
      entry->directory = true;
    } else if (!entry->directory) {
      return failure(Errc::kIo, path, ENOTDIR);
    }
    node = entry;
  }
  return ok();
}

Status MemFileSystem::rename(const std::string& from, const std::string& to) {
  const auto [from_directory, from_name] = parent_of(root_, from);
  const auto [to_directory, to_name] = parent_of(root_, to);
  if (!from_directory || !from_directory->entries.contains(from_name)) {
    return failure(Errc::kNotFound, from, ENOENT);
  }
  if (!to_directory) {
    return failure(Errc::kNotFound, to, ENOENT);
  }
  if (to_directory->entries.contains(to_name)) {
    return failure(Errc::kConflict, to, EEXIST);
  }
  std::shared_ptr<MemNode> node = from_directory->entries[from_name];
  from_directory->entries.erase(from_name);
  to_directory->entries[to_name] = std::move(node);
  return ok();
}

Status MemFileSystem::remove(const std::string& path) {
  const auto [directory, name] = parent_of(root_, path);
  if (!directory || !directory->entries.contains(name)) {
    return failure(Errc::kNotFound, path, ENOENT);
  }
  if (!directory->entries[name]->entries.empty()) {
    return failure(Errc::kIo, path, ENOTEMPTY);
  }
  directory->entries.erase(name);
  return ok();
}

Status MemFileSystem::sync_directory(const std::string& path) {
  const std::shared_ptr<MemNode> node = find(path);
  if (!node) {
    return failure(Errc::kNotFound, path, ENOENT);
  }
  return node->directory ? ok() : failure(Errc::kNotFound, path, ENOTDIR);
}

Result<std::vector<std::string>> MemFileSystem::list(const std::string& path) {
  const std::shared_ptr<MemNode> node = find(path);
  if (!node) {
    return failure(Errc::kNotFound, path, ENOENT);
  }
  if (!node->directory) {
    return failure(Errc::kNotFound, path, ENOTDIR);
  }
  std::vector<std::string> names;
  for (const auto& [name, entry] : node->entries) {
    names.push_back(name);
  }
  return names;
}

Result<std::uint64_t> MemFileSystem::free_bytes(const std::string& path) {
  if (!find(path)) {
    return failure(Errc::kNotFound, path, ENOENT);
  }
  return free_bytes_;
}

Bytes MemFileSystem::read(const std::string& path) const {
  const std::shared_ptr<MemNode> node = find(path);
  return node ? node->bytes : Bytes{};
}

void MemFileSystem::put(const std::string& path, Bytes bytes) {
  std::shared_ptr<MemNode> node = root_;
  for (const std::string& name : split(path)) {
    node->directory = true;
    std::shared_ptr<MemNode>& entry = node->entries[name];
    if (!entry) {
      entry = std::make_shared<MemNode>();
    }
    node = entry;
  }
  node->bytes = std::move(bytes);
}

std::vector<std::string> MemFileSystem::paths() const {
  std::vector<std::string> all;
  collect(*root_, "", all);
  return all;
}

}  // namespace recording::test
