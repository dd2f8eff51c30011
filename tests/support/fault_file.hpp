#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "mem_file.hpp"
#include "storage/file.hpp"

namespace recording::test {

// Calls that can be made to fail, and are counted.
enum class Call {
  kRead,
  kWrite,
  kSync,
  kTruncate,
  kCreate,
  kOpen,  // open() and open_for_read()
  kMakeDirectories,
  kRename,
  kRemove,
  kSyncDirectory,
  kAnyChange,  // any of the above that changes the disk or makes a change durable
};
inline constexpr int kCalls = 11;

struct Fault {
  Call call = Call::kWrite;
  int nth = 1;                      // the first such call from now on is 1
  int sys_errno = 28;               // ENOSPC; EDQUOT gives kNoSpace too, all others kIo
  std::uint64_t partial_bytes = 0;  // how much a failing write writes first
  bool persistent = false;          // every later call fails too, until clear_faults()
  // Linux marks pages clean when their write-back failed: a later sync() says ok and saves nothing.
  bool sync_forgets = false;
};

// What the disk holds after the power went. Synced bytes and names always survive.
struct PowerCut {
  enum class Bytes {
    kLost,           // nothing that was not synced
    kPrefix,         // of each file the first `prefix_bytes` of what was not synced, in write order
    kRandomPrefix,   // the same, the number drawn for each file
    kHole,           // lengths survive, what was appended reads as zeros, overwrites are lost
    kRandomSectors,  // lengths survive, each 512-byte sector is old (or zero) or new, as drawn
  };
  Bytes bytes = Bytes::kLost;
  std::uint64_t prefix_bytes = 0;
  bool keep_names = false;  // changes of names in directories that were not synced survive
  std::uint32_t seed = 1;
};

// A disk that forgets and fails. Wraps a MemFileSystem and knows, for each file, which writes and
// length changes came after its last sync(), and for each directory which names came after its last
// sync_directory(). What the MemFileSystem held before counts as durable. Each directory is taken
// by itself, as POSIX allows: a rename to another directory is half durable until both are synced.
class FaultFileSystem final : public storage::FileSystem {
 public:
  explicit FaultFileSystem(MemFileSystem& files);
  ~FaultFileSystem() override;

  Result<std::unique_ptr<storage::File>> create(const std::string& path) override;
  Result<std::unique_ptr<storage::File>> open(const std::string& path) override;
  Result<std::unique_ptr<storage::File>> open_for_read(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  // Several may wait at once. To stop the machine at its n-th change: {kAnyChange, n, EIO} and
  // persistent, run, clear_faults(), cut_power().
  void inject(const Fault& fault) { faults_.push_back({fault, 0}); }
  void clear_faults() { faults_.clear(); }
  [[nodiscard]] std::uint64_t calls(Call call) const {
    return calls_[static_cast<std::size_t>(call)];
  }

  // The MemFileSystem then holds what survived, and all of it is durable. Files opened before give
  // EIO from now on.
  void cut_power(const PowerCut& how = {});
  // Makes all there is durable, as if everything had been synced.
  void settle();

 private:
  friend class FaultFile;
  struct Write {
    std::uint64_t offset;
    recording::Bytes bytes;
  };
  struct Truncate {
    std::uint64_t size;
  };
  struct Durable {  // what a power cut leaves of a node
    std::shared_ptr<MemNode> node;
    recording::Bytes bytes;
    std::vector<std::variant<Write, Truncate>> pending;  // since the last sync
    std::map<std::string, std::shared_ptr<MemNode>> entries;
  };
  struct Waiting {
    Fault fault;
    int seen;
  };

  // The fault that this call meets, if any.
  std::optional<Fault> count(Call call);
  Status check(Call call, const std::string& what);
  Durable& durable(const std::shared_ptr<MemNode>& node);
  void remember_tree(const std::shared_ptr<MemNode>& node);
  void restore_tree(MemNode& node, const PowerCut& how, std::mt19937& random);
  static void apply(recording::Bytes& bytes, const std::variant<Write, Truncate>& change);
  static recording::Bytes surviving(const Durable& file, const PowerCut& how, std::mt19937& random);
  Result<std::unique_ptr<storage::File>> wrap(Result<std::unique_ptr<storage::File>> file,
                                              const std::string& path);

  MemFileSystem& files_;
  std::map<const MemNode*, Durable> durable_;
  std::vector<Waiting> faults_;
  std::array<std::uint64_t, kCalls> calls_{};
  std::uint64_t boot_ = 0;  // files of an earlier boot are dead
};

}  // namespace recording::test
