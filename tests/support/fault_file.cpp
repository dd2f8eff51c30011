#include "fault_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace recording::test {
namespace {

Error failure(const std::string& what, int sys_errno) {
  const bool no_space = sys_errno == ENOSPC || sys_errno == EDQUOT;
  return Error{no_space ? Errc::kNoSpace : Errc::kIo, what + ": " + std::strerror(sys_errno),
               sys_errno};
}

bool changes_disk(Call call) { return call != Call::kRead && call != Call::kOpen; }

}  // namespace

class FaultFile final : public storage::File {
 public:
  FaultFile(FaultFileSystem& system, std::unique_ptr<storage::File> file,
            std::shared_ptr<MemNode> node)
      : system_(system), file_(std::move(file)), node_(std::move(node)), boot_(system.boot_) {}

  Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) override {
    RECORDING_TRY(alive(Call::kRead, "read"));
    return file_->read_at(into, offset);
  }

  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override {
    if (boot_ != system_.boot_) {
      return failure("write", EIO);
    }
    const std::optional<Fault> fault = system_.count(Call::kWrite);
    Bytes bytes;
    for (const iovec& piece : pieces) {
      put_bytes(bytes, {static_cast<const std::uint8_t*>(piece.iov_base), piece.iov_len});
    }
    if (fault) {
      bytes.resize(std::min<std::size_t>(bytes.size(), fault->partial_bytes));
    }
    if (!bytes.empty()) {
      const iovec all{bytes.data(), bytes.size()};
      RECORDING_TRY(file_->write_at({&all, 1}, offset));
      system_.durable(node_).pending.emplace_back(FaultFileSystem::Write{offset, bytes});
    }
    return fault ? failure("write", fault->sys_errno) : ok();
  }

  Status sync() override {
    if (boot_ != system_.boot_) {
      return failure("sync", EIO);
    }
    FaultFileSystem::Durable& durable = system_.durable(node_);
    if (const std::optional<Fault> fault = system_.count(Call::kSync)) {
      if (fault->sync_forgets) {
        durable.pending.clear();
      }
      return failure("sync", fault->sys_errno);
    }
    for (const auto& change : durable.pending) {
      FaultFileSystem::apply(durable.bytes, change);
    }
    durable.pending.clear();
    return file_->sync();
  }

  Status truncate(std::uint64_t size) override {
    RECORDING_TRY(alive(Call::kTruncate, "truncate"));
    RECORDING_TRY(file_->truncate(size));
    system_.durable(node_).pending.emplace_back(FaultFileSystem::Truncate{size});
    return ok();
  }

  Result<std::uint64_t> size() override {
    return boot_ == system_.boot_ ? file_->size() : failure("size", EIO);
  }

 private:
  Status alive(Call call, const char* what) {
    return boot_ == system_.boot_ ? system_.check(call, what) : failure(what, EIO);
  }

  FaultFileSystem& system_;
  std::unique_ptr<storage::File> file_;
  std::shared_ptr<MemNode> node_;
  std::uint64_t boot_;
};

FaultFileSystem::FaultFileSystem(MemFileSystem& files) : files_(files) { settle(); }

FaultFileSystem::~FaultFileSystem() = default;

std::optional<Fault> FaultFileSystem::count(Call call) {
  ++calls_[static_cast<std::size_t>(call)];
  if (changes_disk(call)) {
    ++calls_[static_cast<std::size_t>(Call::kAnyChange)];
  }
  std::optional<Fault> met;
  for (Waiting& waiting : faults_) {
    const Fault& fault = waiting.fault;
    if (fault.call != call && !(fault.call == Call::kAnyChange && changes_disk(call))) {
      continue;
    }
    ++waiting.seen;
    if (!met && (waiting.seen == fault.nth || (fault.persistent && waiting.seen > fault.nth))) {
      met = fault;
      met->partial_bytes = waiting.seen == fault.nth ? fault.partial_bytes : 0;
    }
  }
  return met;
}

Status FaultFileSystem::check(Call call, const std::string& what) {
  if (const std::optional<Fault> fault = count(call)) {
    return failure(what, fault->sys_errno);
  }
  return ok();
}

FaultFileSystem::Durable& FaultFileSystem::durable(const std::shared_ptr<MemNode>& node) {
  Durable& entry = durable_[node.get()];
  entry.node = node;  // keeps the address from being used again
  return entry;
}

Result<std::unique_ptr<storage::File>> FaultFileSystem::wrap(
    Result<std::unique_ptr<storage::File>> file, const std::string& path) {
  if (!file) {
    return file;
  }
  return std::unique_ptr<storage::File>(
      std::make_unique<FaultFile>(*this, std::move(file).value(), files_.find(path)));
}

Result<std::unique_ptr<storage::File>> FaultFileSystem::create(const std::string& path) {
  RECORDING_TRY(check(Call::kCreate, path));
  return wrap(files_.create(path), path);
}

Result<std::unique_ptr<storage::File>> FaultFileSystem::open(const std::string& path) {
  RECORDING_TRY(check(Call::kOpen, path));
  return wrap(files_.open(path), path);
}

Result<std::unique_ptr<storage::File>> FaultFileSystem::open_for_read(const std::string& path) {
  RECORDING_TRY(check(Call::kOpen, path));
  return wrap(files_.open_for_read(path), path);
}

Status FaultFileSystem::make_directories(const std::string& path) {
  RECORDING_TRY(check(Call::kMakeDirectories, path));
  return files_.make_directories(path);
}

Status FaultFileSystem::rename(const std::string& from, const std::string& to) {
  RECORDING_TRY(check(Call::kRename, from));
  return files_.rename(from, to);
}

Status FaultFileSystem::remove(const std::string& path) {
  RECORDING_TRY(check(Call::kRemove, path));
  return files_.remove(path);
}

Status FaultFileSystem::sync_directory(const std::string& path) {
  RECORDING_TRY(check(Call::kSyncDirectory, path));
  RECORDING_TRY(files_.sync_directory(path));
  const std::shared_ptr<MemNode> node = files_.find(path);
  for (const auto& [name, child] : node->entries) {
    (void)durable(child);  // pins it: its name may be all that survives
  }
  durable(node).entries = node->entries;
  return ok();
}

Result<std::vector<std::string>> FaultFileSystem::list(const std::string& path) {
  return files_.list(path);
}

Result<std::uint64_t> FaultFileSystem::free_bytes(const std::string& path) {
  return files_.free_bytes(path);
}

void FaultFileSystem::settle() {
  durable_.clear();
  remember_tree(files_.root());
}

void FaultFileSystem::remember_tree(const std::shared_ptr<MemNode>& node) {
  Durable& entry = durable(node);
  entry.bytes = node->bytes;
  entry.entries = node->entries;
  for (const auto& [name, child] : node->entries) {
    remember_tree(child);
  }
}

void FaultFileSystem::apply(recording::Bytes& bytes, const std::variant<Write, Truncate>& change) {
  if (const auto* truncate = std::get_if<Truncate>(&change)) {
    bytes.resize(truncate->size);
    return;
  }
  const Write& write = *std::get_if<Write>(&change);
  bytes.resize(std::max<std::size_t>(bytes.size(), write.offset + write.bytes.size()));
  std::copy(write.bytes.begin(), write.bytes.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

recording::Bytes FaultFileSystem::surviving(const Durable& file, const PowerCut& how,
                                            std::mt19937& random) {
  recording::Bytes bytes = file.bytes;
  const std::size_t now = file.node->bytes.size();
  std::uint64_t left = how.prefix_bytes;
  switch (how.bytes) {
    case PowerCut::Bytes::kLost:
      return bytes;
    case PowerCut::Bytes::kHole:
      bytes.resize(now);
      return bytes;
    case PowerCut::Bytes::kRandomSectors:
      bytes.resize(now);
      for (std::size_t at = 0; at < now; at += 512) {
        if (random() % 2 == 0) {
          std::copy_n(file.node->bytes.begin() + static_cast<std::ptrdiff_t>(at),
                      std::min<std::size_t>(512, now - at),
                      bytes.begin() + static_cast<std::ptrdiff_t>(at));
        }
      }
      return bytes;
    case PowerCut::Bytes::kRandomPrefix:
      left = 0;
      for (const auto& change : file.pending) {
        const auto* write = std::get_if<Write>(&change);
        left += write != nullptr ? write->bytes.size() : 0;
      }
      left = random() % (left + 1);
      break;
    case PowerCut::Bytes::kPrefix:
      break;
  }
  for (const auto& change : file.pending) {
    const auto* write = std::get_if<Write>(&change);
    if (write == nullptr || write->bytes.size() <= left) {
      apply(bytes, change);
      left -= write != nullptr ? write->bytes.size() : 0;
      continue;
    }
    if (left > 0) {
      Write torn = *write;
      torn.bytes.resize(left);
      apply(bytes, torn);
    }
    break;
  }
  return bytes;
}

void FaultFileSystem::restore_tree(MemNode& node, const PowerCut& how, std::mt19937& random) {
  const auto known = durable_.find(&node);
  if (!node.directory) {
    node.bytes = known != durable_.end() ? surviving(known->second, how, random) : Bytes{};
    return;
  }
  if (!how.keep_names) {
    node.entries = known != durable_.end() ? known->second.entries
                                           : std::map<std::string, std::shared_ptr<MemNode>>{};
  }
  for (const auto& [name, child] : node.entries) {
    restore_tree(*child, how, random);
  }
}

void FaultFileSystem::cut_power(const PowerCut& how) {
  std::mt19937 random(how.seed);
  restore_tree(*files_.root(), how, random);
  ++boot_;
  settle();
}

}  // namespace recording::test
