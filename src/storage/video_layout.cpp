#include "storage/video_layout.hpp"

#include "base/strings.hpp"

namespace recording::storage {

std::string video_folder(std::string_view app, std::string_view stream,
                         std::int64_t started_wall_ms, std::string_view slug) {
  return path_component(app) + "/" + path_component(stream) + "/" + iso_date(started_wall_ms) +
         "/" + std::string(slug);
}

}  // namespace recording::storage
