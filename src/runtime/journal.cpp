#include "runtime/journal.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include "runtime/journal_extent.hpp"

namespace recording::runtime {
namespace {

constexpr std::int64_t kRetryMs = 1000;
constexpr std::int64_t kSpareMs = 10000;
constexpr std::size_t kLowWater = 4;

// From the vDSO: no system call. Good enough for a second.
std::int64_t coarse_now_ms() noexcept {
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

}  // namespace

struct Journal::Impl : std::enable_shared_from_this<Journal::Impl> {
  Impl(std::string directory_name, unsigned budget_percent, Executor& pool,
       std::size_t smallest_extent)
      : directory(std::move(directory_name)),
        percent(budget_percent),
        executor(pool),
        extent_segments(smallest_extent) {}

  void adopt(std::unique_ptr<Extent> extent) {
    reserved += extent->segments();
    free += extent->segments();
    extents.push_back(std::move(extent));
  }

  // A tenth of what there is, so that the pool's thread is ahead of a burst.
  [[nodiscard]] bool is_low() const { return free < std::max(kLowWater, reserved / 10); }
  void grow_if_low() noexcept;
  void trim(std::int64_t now) noexcept;

  std::string directory;
  unsigned percent;
  Executor& executor;
  std::size_t extent_segments;
  // The oldest first. Segments come from the first that has one, so that the extents of a burst
  // become free as a whole when it is over.
  std::vector<std::unique_ptr<Extent>> extents;
  std::size_t reserved = 0;
  std::size_t free = 0;
  bool growing = false;
  std::int64_t retry_at = 0;
  std::int64_t spare_since = -1;  // -1: there is no extent too many
};

void Journal::Impl::grow_if_low() noexcept {
  if (growing || !is_low()) {
    return;
  }
  std::int64_t now = coarse_now_ms();
  if (now < retry_at) {
    return;
  }
  retry_at = now + kRetryMs;
  // Each extent holds a descriptor: by growing by a quarter, there are few of them.
  std::size_t segments = std::clamp(reserved / 4, extent_segments, kMaxExtentSegments);
  growing = post(
      executor,
      [dir = directory, budget = percent, segments] { return Extent::make(dir, budget, segments); },
      [weak = weak_from_this()](Result<std::unique_ptr<Extent>> made) {
        std::shared_ptr<Impl> self = weak.lock();
        if (!self) {
          return;
        }
        self->growing = false;
        if (made) {
          self->adopt(std::move(made).value());
          self->retry_at = 0;
          self->grow_if_low();
        }
      });
}

void Journal::Impl::trim(std::int64_t now) noexcept {
  // What is in use once more, and the first extent, is a fair reserve for the next burst.
  auto last_unused = std::find_if(extents.rbegin(), extents.rend(),
                                  [](const auto& extent) { return extent->unused(); });
  std::size_t reserve = (reserved - free) + extent_segments;
  if (last_unused == extents.rend() || extents.size() == 1 ||
      free - (*last_unused)->segments() < reserve) {
    spare_since = -1;
    return;
  }
  if (spare_since < 0) {
    spare_since = now;
  }
  if (now - spare_since < kSpareMs) {
    return;
  }
  // Unmapping takes its time: the thread destroys it.
  auto shared = std::make_shared<std::unique_ptr<Extent>>(std::move(*last_unused));
  reserved -= (*shared)->segments();
  free -= (*shared)->segments();
  extents.erase(std::next(last_unused).base());
  // When the pool refuses the job, the job's end destroys it here.
  (void)post(
      executor,
      [shared = std::move(shared)] {
        shared->reset();
        return true;
      },
      [](bool) {});
}

Journal::Journal(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open(const std::string& directory, unsigned percent,
                                               Executor& executor, std::size_t extent_segments) {
  auto impl = std::make_shared<Impl>(directory, std::min(percent, 100u), executor, extent_segments);
  Result<std::unique_ptr<Extent>> first =
      Extent::make(impl->directory, impl->percent, extent_segments);
  if (first) {
    impl->adopt(std::move(first).value());
  } else if (first.error().code != Errc::kNoSpace) {
    return std::move(first).error().wrap("journal");
  }
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Segment Journal::acquire(std::uint64_t session, std::uint64_t number) noexcept {
  SegmentHeader* header = nullptr;
  for (const auto& extent : impl_->extents) {
    header = extent->take();
    if (header != nullptr) {
      break;
    }
  }
  Segment segment;
  if (header != nullptr) {
    --impl_->free;
    // Killed between any two of these, the segment is still free or an empty one of the session.
    header->committed.store(0, std::memory_order_release);
    std::atomic_ref(header->number).store(number, std::memory_order_release);
    std::atomic_ref(header->session).store(session, std::memory_order_release);
    segment.header = header;
    segment.data = reinterpret_cast<std::uint8_t*>(header) + kSegmentHeaderSize;
    segment.shared = true;
  }
  impl_->grow_if_low();
  return segment;
}

void Journal::release(const Segment& segment) noexcept {
  if (!segment.shared || segment.header == nullptr || segment.header->session == 0) {
    return;  // private memory, or given back before
  }
  auto owner =
      std::find_if(impl_->extents.begin(), impl_->extents.end(),
                   [&segment](const auto& extent) { return extent->contains(segment.header); });
  if (owner == impl_->extents.end()) {
    return;
  }
  std::atomic_ref(segment.header->session).store(0, std::memory_order_release);
  (*owner)->give_back(segment.header);
  ++impl_->free;
}

void Journal::tick(std::int64_t monotonic_ms) noexcept {
  impl_->grow_if_low();
  impl_->trim(monotonic_ms);
}

std::size_t Journal::reserved_segments() const { return impl_->reserved; }
std::size_t Journal::free_segments() const { return impl_->free; }

}  // namespace recording::runtime
