#include "exporter/stored_qualities.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "exporter/posix_read_file.hpp"
#include "exporter/video_path.hpp"

namespace recording::exporter {
namespace {

constexpr std::size_t kMostQualities = 32;
constexpr std::string_view kExtension = ".mp4";

std::vector<std::string> names_beside(const std::filesystem::path& source) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(source.parent_path(), error), end;
  for (; !error && entry != end && names.size() < kMostQualities; entry.increment(error)) {
    std::string name = entry->path().filename();
    if (!name.ends_with(kExtension) || name == source.filename()) {
      continue;
    }
    name.resize(name.size() - kExtension.size());
    if (is_quality_name(name)) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

}  // namespace

std::vector<HlsVariant> stored_qualities(const std::string& path) {
  const std::filesystem::path source(path);
  std::vector<HlsVariant> variants;
  for (std::string& name : names_beside(source)) {
    auto file = PosixReadFile::open(source.parent_path() / (name + std::string(kExtension)));
    if (!file) {
      continue;
    }
    auto index = read_hls_index(*file.value(), {});
    if (index && index.value().finished && !index.value().segments.empty()) {
      variants.push_back({std::move(name), std::move(index).value()});
    }
  }
  std::sort(variants.begin(), variants.end(), [](const HlsVariant& a, const HlsVariant& b) {
    return std::pair(b.index.average_bps(), a.name) < std::pair(a.index.average_bps(), b.name);
  });
  return variants;
}

}  // namespace recording::exporter
