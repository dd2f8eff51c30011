#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "exporter/served_video.hpp"

namespace recording::exporter {

// Parts of videos that this worker has open, so that the next request for one needs neither the
// catalogue nor a thread: that is what a player does for every seek. They are finished, or good for
// a moment (ServedVideo::fresh_ms). Few and not for long, because
// a removed file's space comes back when the last descriptor is closed, and not many megabytes of
// clips' indexes. Event loop only.
class VideoCache {
 public:
  VideoCache(std::size_t capacity, std::int64_t idle_ms) : capacity_(capacity), idle_ms_(idle_ms) {}

  // nullptr when it is not here, not fresh any more, or was removed from disk.
  std::shared_ptr<const ServedVideo> find(std::string_view slug, const VideoPart& part,
                                          std::int64_t now_ms);
  // Only what is fresh for a while is kept. The one used longest ago makes room.
  void put(std::string_view slug, const VideoPart& part, std::shared_ptr<const ServedVideo> video,
           std::int64_t now_ms);
  // Closes what was removed from disk, and what nobody used for a while.
  void sweep(std::int64_t now_ms);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string slug;
    VideoPart part;
    std::shared_ptr<const ServedVideo> video;
    std::int64_t put_ms, used_ms;
    [[nodiscard]] bool is_good(std::int64_t now_ms) const {
      return now_ms - put_ms < video->fresh_ms() && !video->removed();
    }
  };
  std::list<Entry>::iterator locate(std::string_view slug, const VideoPart& part);

  std::size_t capacity_;
  std::int64_t idle_ms_;
  std::list<Entry> entries_;  // the one used last is the first
};

}  // namespace recording::exporter
