#include "processing/new_file.hpp"

#include <utility>

namespace recording::processing {

Status remove_unfinished(storage::FileSystem& files, const std::string& folder) {
  auto names = files.list(folder);
  if (!names) {
    return std::move(names).error();
  }
  for (const std::string& name : names.value()) {
    if (name.starts_with(kUnfinished)) {
      RECORDING_TRY(files.remove(folder + "/" + name));
    }
  }
  return ok();
}

std::string unfinished_path(const std::string& folder, const std::string& name) {
  return folder + "/" + std::string(kUnfinished) + name;
}

Status give_name(storage::FileSystem& files, const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  Status renamed = files.rename(unfinished_path(folder, name), path);
  if (!renamed && renamed.error().code == Errc::kConflict) {
    RECORDING_TRY(files.remove(path));
    renamed = files.rename(unfinished_path(folder, name), path);
  }
  RECORDING_TRY(renamed);
  return files.sync_directory(folder);
}

Status write_file(storage::FileSystem& files, const std::string& folder, const std::string& name,
                  ByteView bytes) {
  auto file = files.create(unfinished_path(folder, name));
  if (!file) {
    return std::move(file).error();
  }
  const iovec piece = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  RECORDING_TRY(file.value()->write_at({&piece, 1}, 0));
  RECORDING_TRY(file.value()->sync());
  return give_name(files, folder, name);
}

}  // namespace recording::processing
