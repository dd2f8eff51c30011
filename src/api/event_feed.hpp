#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "api/api.hpp"
#include "api/json.hpp"
#include "api/live_view.hpp"

namespace recording::api {

inline constexpr std::string_view kEventStream = "text/event-stream";

// What changes, as server-sent events (docs/http-api.md), for all who watch through one worker. It
// looks when it is told to: the live state and the catalogue are shared, so no worker has to be
// told by another. Event loop only.
class EventFeed {
 public:
  // The backend must live as long as its catalogue may still answer.
  explicit EventFeed(Backend& backend) : backend_(backend) {}

  // Looks once; the events of what has changed since the last look, empty: nothing. Meant to be
  // called once a second.
  std::string look();
  // All that is known, for one who has just come or could not follow.
  [[nodiscard]] std::string all() const;

 private:
  struct Entry {
    std::string event;  // its name
    Json data;
    Json gone;  // of the event that says that it is no more
  };
  using Entries = std::map<std::string, Entry>;
  struct Received {
    std::int64_t at_ms = 0, bytes = 0;
  };

  Json stream_summary(const LiveStream& live);
  Json recording_summary(const runtime::RecordingRecord& recording);
  Json bit_rate(const LiveStream& live);
  void ask_catalog();

  Backend& backend_;
  Entries entries_;
  std::map<std::uint64_t, std::deque<Received>> received_;  // by session
  // Shared with answers that may come when this is gone.
  struct CatalogNews {
    bool asking = false;
    std::int64_t version = 0;  // 0: not known yet
    catalog::WorkFigures work;
  };
  std::shared_ptr<CatalogNews> catalog_ = std::make_shared<CatalogNews>();
};

}  // namespace recording::api
