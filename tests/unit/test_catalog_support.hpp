#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "catalog/sqlite_catalog.hpp"

namespace recording::test {

// A folder of its own on tmpfs, gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/dev/shm/recording-test.XXXXXX";
    path_ = ::mkdtemp(name) != nullptr ? name : "";
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string catalog_path() const { return path_ + "/catalog.db"; }

 private:
  std::string path_;
};

// nullptr when it cannot be opened.
inline std::unique_ptr<catalog::Catalog> open_catalog(const TemporaryFolder& folder,
                                                      bool writer = true) {
  auto opened = catalog::open_sqlite_catalog(folder.catalog_path(), writer);
  return opened ? std::move(opened).value() : nullptr;
}

inline catalog::VideoRow video_row(std::int64_t id, const std::string& slug,
                                   std::int64_t stream_id = 1, std::int64_t started_at = 1000) {
  catalog::VideoRow row;
  row.id = id;
  row.slug = slug;
  row.stream_id = stream_id;
  row.recording_started_at = started_at;
  row.status = "viewable";
  return row;
}

}  // namespace recording::test
