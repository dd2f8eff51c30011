#include "recorder/events.hpp"

#include <algorithm>

namespace recording::recorder {

namespace {

// In one transaction.
constexpr std::size_t kMostAtOnce = 100;
// While the catalogue is away; some kilobytes each.
constexpr std::size_t kMostWaiting = 10'000;

}  // namespace

void Events::emit(const char* type, const EventStream& stream, const Facts& facts) {
  catalog::EventRow event = make_event(type, stream, facts, clock_.wall_ms());
  log_.write(LogLevel::kNotice, "event " + event.body);
  if (webhooks_.empty()) {
    return;
  }
  if (waiting_.size() >= kMostWaiting) {
    if (!full_) {
      log_.write(LogLevel::kError,
                 "the catalogue takes no events: from here on webhooks are not told of them");
    }
    full_ = true;
    return;
  }
  full_ = false;
  waiting_.push_back(std::move(event));
  give();
}

void Events::give() {
  if (giving_ != 0 || waiting_.empty()) {
    return;
  }
  giving_ = std::min(waiting_.size(), kMostAtOnce);
  std::vector<catalog::EventRow> events(waiting_.begin(),
                                        waiting_.begin() + static_cast<std::ptrdiff_t>(giving_));
  catalog_.write(
      [events = std::move(events), webhooks = webhooks_](catalog::Catalog& catalog) {
        return catalog.add_events(events, webhooks);
      },
      [this, alive = alive_](const Status& added) {
        if (!*alive) {
          return;
        }
        if (!added) {
          giving_ = 0;  // the next tick, or event, tries again
          return;
        }
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(giving_));
        giving_ = 0;
        give();
      });
}

}  // namespace recording::recorder
