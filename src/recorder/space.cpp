#include "recorder/space.hpp"

#include <algorithm>

#include "recorder/events.hpp"

namespace recording::recorder {
namespace {

constexpr std::int64_t kRateMs = 30'000;
// Less than this says nothing of a bitrate: a recording's beginning may come in one burst.
constexpr std::int64_t kShortestMs = 10'000;
constexpr std::int64_t kEarlySeconds = 30 * 60;

}  // namespace

Space space_of(runtime::LiveState& state, std::int64_t min_free_bytes) {
  const runtime::Shared& shared = *state.shared_gauges();
  Space space;
  space.free_bytes = shared.spool_free_bytes.get();
  space.min_free_bytes = min_free_bytes;
  space.bytes_per_second = shared.bytes_per_second.get();
  space.low = shared.space_low.get() != 0;
  if (space.free_bytes >= 0 && space.bytes_per_second > 0) {
    space.left_seconds =
        std::max<std::int64_t>(space.free_bytes - min_free_bytes, 0) / space.bytes_per_second;
  }
  return space;
}

std::string in_words(const Space& space) {
  std::string text = "the disk of the recordings has " + std::to_string(space.free_bytes >> 20) +
                     " MiB left; below min_free (" + std::to_string(space.min_free_bytes >> 20) +
                     " MiB) no new recording starts";
  if (space.left_seconds) {
    text += ", which is in " + std::to_string(*space.left_seconds / 60) +
            " minutes at the current bitrate";
  }
  return text + "; delete videos or add space";
}

void SpaceWatch::tick() {
  measure_rate();
  if (measuring_) {
    return;
  }
  measuring_ = post(
      env_.io, [&files = env_.files, spool = env_.spool]() { return files.free_bytes(spool); },
      [this, alive = alive_](Result<std::uint64_t> free_bytes) {
        if (!*alive) {
          return;
        }
        measuring_ = false;
        if (free_bytes) {
          env_.state.shared_gauges()->spool_free_bytes.set(
              static_cast<std::int64_t>(free_bytes.value()));
          judge();
        }
      });
}

void SpaceWatch::measure_rate() {
  const Written now{env_.clock.monotonic_ms(), env_.state.metrics().bytes.get()};
  written_.push_back(now);
  // The first one is at least kRateMs old, as soon as any is.
  while (written_.size() > 2 && now.at_ms - written_[1].at_ms >= kRateMs) {
    written_.pop_front();
  }
  const Written& then = written_.front();
  env_.state.shared_gauges()->bytes_per_second.set(
      static_cast<std::int64_t>((now.bytes - then.bytes) * 1000) /
      std::max(now.at_ms - then.at_ms, kShortestMs));
}

void SpaceWatch::judge() {
  const Space space = space_of(env_.state, env_.min_free_bytes);
  const std::int64_t margin = space.free_bytes - space.min_free_bytes;
  const std::int64_t wanted =
      std::max(space.min_free_bytes, space.bytes_per_second * kEarlySeconds);
  const bool low = space.min_free_bytes > 0 && margin < wanted;
  // It is over only with a tenth more: what hovers about the limit is told once.
  if (low == space.low || (!low && space.min_free_bytes > 0 && margin < wanted + wanted / 10)) {
    return;
  }
  env_.state.shared_gauges()->space_low.set(low ? 1 : 0);
  if (!low) {
    return;
  }
  env_.log.write(LogLevel::kWarn, in_words(space));
  Events::Facts facts = {{"free_bytes", space.free_bytes},
                         {"min_free_bytes", space.min_free_bytes},
                         {"bytes_per_second", space.bytes_per_second}};
  if (space.left_seconds) {
    facts.emplace_back("left_seconds", *space.left_seconds);
  }
  env_.events.emit("space.low", {}, facts);
}

}  // namespace recording::recorder
