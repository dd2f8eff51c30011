#include "inspect/closer.hpp"

#include <utility>

#include "mp4/recording_file.hpp"

namespace recording::inspect {
namespace {

constexpr std::size_t kCopyBlock = 1 << 20;

// Hands everything on; what is about to be cut off is copied to another file first.
class KeepingFile final : public storage::File {
 public:
  KeepingFile(std::unique_ptr<storage::File> file, storage::FileSystem& files, Closed& closed)
      : file_(std::move(file)), files_(files), closed_(closed) {}

  Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) override {
    return file_->read_at(into, offset);
  }
  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override {
    return file_->write_at(pieces, offset);
  }
  Status sync() override { return file_->sync(); }
  Result<std::uint64_t> size() override { return file_->size(); }
  Status truncate(std::uint64_t size) override {
    RECORDING_TRY(keep(size));
    return file_->truncate(size);
  }

 private:
  Status keep(std::uint64_t from) {
    if (!target_) {
      auto made = files_.create(closed_.kept_path);
      if (!made) {
        return std::move(made).error();
      }
      target_ = std::move(made).value();
    }
    Bytes block(kCopyBlock);
    for (;;) {
      auto got = file_->read_at(block, from);
      if (!got) {
        return std::move(got).error();
      }
      if (got.value() == 0) {
        return target_->sync();
      }
      const iovec piece{block.data(), got.value()};
      RECORDING_TRY(target_->write_at({&piece, 1}, closed_.kept));
      closed_.kept += got.value();
      from += got.value();
    }
  }

  std::unique_ptr<storage::File> file_, target_;
  storage::FileSystem& files_;
  Closed& closed_;
};

}  // namespace

Result<Closed> close_recording(storage::FileSystem& files, const std::string& path) {
  auto file = files.open(path);
  if (!file) {
    return std::move(file).error();
  }
  RECORDING_TRY(file.value()->claim());
  Closed closed;
  closed.kept_path = path + ".torn";
  auto recording = mp4::RecordingFile::reopen(
      std::make_unique<KeepingFile>(std::move(file).value(), files, closed));
  if (!recording) {
    return std::move(recording).error();
  }
  closed.was_finished = recording.value()->finished();
  RECORDING_TRY(recording.value()->finish());
  return closed;
}

}  // namespace recording::inspect
