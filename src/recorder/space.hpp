#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "recorder/environment.hpp"

namespace recording::recorder {

// How much room there is for recordings, and for how long.
struct Space {
  std::int64_t free_bytes = -1;  // on the spool's file system; -1: not measured yet
  std::int64_t min_free_bytes = 0;
  std::int64_t bytes_per_second = 0;  // what recordings have written, over the last half minute
  // Until min_free is reached at that rate; nothing: not known, or nothing is being written.
  std::optional<std::int64_t> left_seconds;
  bool low = false;  // said in an event
};
Space space_of(runtime::LiveState& state, std::int64_t min_free_bytes);
// "the disk of the recordings has 3000 MiB left, enough for 12 minutes …"
std::string in_words(const Space& space);

// Measures it once a second for all workers, and warns before no recording can start any more: when
// what is left above min_free is less than min_free itself, or lasts less than half an hour. Event
// loop only; of the worker that is the housekeeper.
class SpaceWatch {
 public:
  explicit SpaceWatch(Environment& environment) : env_(environment) {}
  ~SpaceWatch() { *alive_ = false; }
  SpaceWatch(const SpaceWatch&) = delete;
  SpaceWatch& operator=(const SpaceWatch&) = delete;
  void tick();

 private:
  struct Written {
    std::int64_t at_ms = 0;  // monotonic
    std::uint64_t bytes = 0;
  };
  void measure_rate();
  void judge();

  Environment& env_;
  bool measuring_ = false;
  std::deque<Written> written_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers that come later
};

}  // namespace recording::recorder
