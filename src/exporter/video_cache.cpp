#include "exporter/video_cache.hpp"

#include <algorithm>
#include <utility>

namespace recording::exporter {
namespace {

// Bytes. The index of a clip of 4 h is some 5 MB.
constexpr std::uint64_t kMostHeld = 16 << 20;

}  // namespace

std::list<VideoCache::Entry>::iterator VideoCache::locate(std::string_view slug,
                                                          const VideoPart& part) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](const Entry& entry) { return entry.part == part && entry.slug == slug; });
}

std::shared_ptr<const ServedVideo> VideoCache::find(std::string_view slug, const VideoPart& part,
                                                    std::int64_t now_ms) {
  const auto entry = locate(slug, part);
  if (entry == entries_.end()) {
    return nullptr;
  }
  if (!entry->is_good(now_ms)) {
    entries_.erase(entry);
    return nullptr;
  }
  entry->used_ms = now_ms;
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->video;
}

void VideoCache::put(std::string_view slug, const VideoPart& part,
                     std::shared_ptr<const ServedVideo> video, std::int64_t now_ms) {
  if (video->fresh_ms() == 0) {
    return;
  }
  if (const auto entry = locate(slug, part); entry != entries_.end()) {
    entries_.erase(entry);
  }
  entries_.push_front({std::string(slug), part, std::move(video), now_ms, now_ms});
  std::uint64_t held = 0;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    held += entry->video->held_bytes();
    if (held > kMostHeld && entry != entries_.begin()) {
      entries_.erase(entry, entries_.end());
      break;
    }
  }
  if (entries_.size() > capacity_) {
    entries_.pop_back();
  }
}

void VideoCache::sweep(std::int64_t now_ms) {
  entries_.remove_if([&](const Entry& entry) {
    return now_ms - entry.used_ms >= idle_ms_ || !entry.is_good(now_ms);
  });
}

}  // namespace recording::exporter
