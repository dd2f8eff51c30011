#include "storage/cut_tail.hpp"

#include <memory>
#include <utility>

namespace recording::storage {
namespace {

constexpr std::size_t kCopyBlock = 1 << 20;

// Makes the first file that there is not; `kept` becomes its name.
Result<std::unique_ptr<File>> create_beside(FileSystem& files, const std::string& path,
                                            std::string& kept) {
  for (int n = 1;; ++n) {
    kept = path + ".torn" + (n == 1 ? "" : "." + std::to_string(n));
    auto made = files.create(kept);
    if (made || made.error().code != Errc::kConflict) {
      return made;
    }
  }
}

}  // namespace

Result<std::uint64_t> copy_rest(File& source, std::uint64_t offset, File& target) {
  Bytes block(kCopyBlock);
  for (std::uint64_t done = 0;;) {
    auto got = source.read_at(block, offset + done);
    if (!got) {
      return std::move(got).error();
    }
    if (got.value() == 0) {
      RECORDING_TRY(target.sync());
      return done;
    }
    const iovec piece{block.data(), got.value()};
    RECORDING_TRY(target.write_at({&piece, 1}, done));
    done += got.value();
  }
}

Result<std::string> cut_and_keep(FileSystem& files, File& file, const std::string& path,
                                 std::uint64_t size) {
  std::string kept;
  auto target = create_beside(files, path, kept);
  if (!target) {
    return std::move(target).error();
  }
  const auto cut = [&]() -> Status {
    if (auto copied = copy_rest(file, size, *target.value()); !copied) {
      return std::move(copied).error();
    }
    if (const std::size_t slash = path.rfind('/'); slash != std::string::npos) {
      RECORDING_TRY(files.sync_directory(path.substr(0, slash)));
    }
    return file.truncate(size);
  };
  if (Status status = cut(); !status) {
    (void)files.remove(kept);
    return std::move(status).error().wrap("keep what is torn");
  }
  return kept;
}

}  // namespace recording::storage
