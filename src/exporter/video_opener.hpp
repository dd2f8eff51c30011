#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "catalog/catalog_service.hpp"
#include "exporter/served_video.hpp"
#include "exporter/video_cache.hpp"
#include "exporter/video_location.hpp"
#include "runtime/live_state.hpp"

namespace recording::exporter {

// Finds and opens videos by their slug: what this worker has open, else what the live state knows,
// else what the catalogue knows. Every file is opened in a pool thread. Event loop only.
class VideoOpener {
 public:
  struct Ports {
    runtime::LiveState& state;
    catalog::CatalogService& catalog;
    Executor& io;
    const Clock& clock;
  };
  using Opened = std::function<void(Result<std::shared_ptr<const ServedVideo>>)>;

  VideoOpener(Ports ports, VideoFolders folders);
  ~VideoOpener();  // what is being opened is dropped unanswered
  VideoOpener(const VideoOpener&) = delete;
  VideoOpener& operator=(const VideoOpener&) = delete;

  // Calls `then` once, at once or later. kNotFound: no such video; kUnavailable: it cannot be told
  // now (catalogue away, pool full); kInvalidArgument: as ServedVideo::open().
  void open(std::string slug, VideoPart part, Opened then);

  // What people call the video; the slug when that is not known now. Calls `then` once.
  void find_name(std::string slug, std::function<void(std::string)> then);

  // Once in a few seconds: closes files that nobody needs any more.
  void sweep();
  [[nodiscard]] bool idle() const;  // nothing is kept open: no need to sweep

 private:
  class Attempt;
  struct Shared;
  static std::shared_ptr<const ServedVideo> closed_in_pool(
      const std::shared_ptr<Shared>& opener, std::shared_ptr<const ServedVideo> video);
  std::shared_ptr<Shared> shared_;
};

}  // namespace recording::exporter
