#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "catalog/catalog_service.hpp"
#include "recorder/event_row.hpp"

namespace recording::recorder {

// What happened, told to the world: one line of JSON each in the log and, where there are webhooks,
// the same in the catalogue's outbox, which recording-worker delivers. Event loop only.
//
// What the catalogue does not take is kept, in order, and given again; of what a process had not
// given when it was killed, only what follows from a recording's outcome is told by its successor.
class Events {
 public:
  using Facts = EventFacts;

  // `webhooks`: their URLs.
  Events(Log& log, const Clock& clock, catalog::CatalogService& catalog,
         std::vector<std::string> webhooks)
      : log_(log), clock_(clock), catalog_(catalog), webhooks_(std::move(webhooks)) {}
  ~Events() { *alive_ = false; }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // `type`: a type of docs/operations.md, "Events".
  void emit(const char* type, const EventStream& stream, const Facts& facts);
  [[nodiscard]] const std::vector<std::string>& webhooks() const { return webhooks_; }
  // Once a second.
  void tick() { give(); }

 private:
  void give();

  Log& log_;
  const Clock& clock_;
  catalog::CatalogService& catalog_;
  const std::vector<std::string> webhooks_;
  std::deque<catalog::EventRow> waiting_;  // the first `giving_` are on their way
  std::size_t giving_ = 0;
  bool full_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace recording::recorder
