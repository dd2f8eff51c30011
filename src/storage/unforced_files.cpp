#include "storage/unforced_files.hpp"

#include <utility>

namespace recording::storage {
namespace {

class UnforcedFile final : public File {
 public:
  explicit UnforcedFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<std::size_t> read_at(std::span<std::uint8_t> into, std::uint64_t offset) override {
    return file_->read_at(into, offset);
  }
  Status write_at(std::span<const iovec> pieces, std::uint64_t offset) override {
    return file_->write_at(pieces, offset);
  }
  Status sync() override { return ok(); }
  Status truncate(std::uint64_t size) override { return file_->truncate(size); }
  Result<std::uint64_t> size() override { return file_->size(); }
  Status claim() override { return file_->claim(); }
  bool is_claimed() override { return file_->is_claimed(); }

 private:
  std::unique_ptr<File> file_;
};

Result<std::unique_ptr<File>> unforced(Result<std::unique_ptr<File>> file) {
  if (!file) {
    return file;
  }
  return std::unique_ptr<File>(std::make_unique<UnforcedFile>(std::move(file).value()));
}

}  // namespace

Result<std::unique_ptr<File>> UnforcedFiles::create(const std::string& path) {
  return unforced(files_.create(path));
}
Result<std::unique_ptr<File>> UnforcedFiles::open(const std::string& path) {
  return unforced(files_.open(path));
}
Result<std::unique_ptr<File>> UnforcedFiles::open_for_read(const std::string& path) {
  return files_.open_for_read(path);
}

}  // namespace recording::storage
