#include "api/event_feed.hpp"

#include <algorithm>
#include <utility>

#include "api/calls.hpp"
#include "api/space_json.hpp"
#include "api/stream_json.hpp"

namespace recording::api {
namespace {

constexpr std::int64_t kRateMs = 5000;  // as the measured bit rates

std::string event(std::string_view name, const Json& data) {
  return "event: " + std::string(name) + "\ndata: " + to_text(data) + "\n\n";
}

double per_second(std::uint32_t milli) { return milli / 1000.0; }

}  // namespace

std::string EventFeed::look() {
  Result<std::vector<LiveStream>> streams = busy_streams(backend_.state());
  if (!streams) {
    return {};  // the lock was busy: next time
  }
  ask_catalog();
  Entries now;
  now["space"] = {"space", space_json(backend_), nullptr};
  if (catalog_->version != 0) {
    now["catalog"] = {"catalog",
                      {{"version", std::to_string(catalog_->version)},
                       {"waiting_deliveries", catalog_->work.deliveries_waiting},
                       {"waiting_jobs", catalog_->work.waiting},
                       {"running_jobs", catalog_->work.running},
                       {"failed_jobs", catalog_->work.failed}},
                      nullptr};
  }
  std::map<std::uint64_t, std::deque<Received>> before;
  before.swap(received_);
  for (const LiveStream& live : streams.value()) {
    const std::uint64_t session = live.stream.session.id;
    if (session != 0) {
      received_[session] = std::move(before[session]);
    }
    const std::string app(live.stream.app.view());
    const std::string name(live.stream.name.view());
    now["stream " + app + '/' + name] = {
        "stream", stream_summary(live), {{"app", app}, {"name", name}}};
  }
  std::string changed;
  for (const auto& [key, entry] : now) {
    const auto old = entries_.find(key);
    if (old == entries_.end() || old->second.data != entry.data) {
      changed += event(entry.event, entry.data);
    }
  }
  for (const auto& [key, entry] : entries_) {
    if (!now.contains(key)) {
      changed += event(entry.event + "_gone", entry.gone);
    }
  }
  entries_.swap(now);
  return changed;
}

std::string EventFeed::all() const {
  Json state = {{"streams", Json::array()}, {"space", nullptr}, {"catalog", nullptr}};
  for (const auto& [key, entry] : entries_) {
    if (entry.event == "stream") {
      state["streams"].push_back(entry.data);
    } else {
      state[entry.event] = entry.data;
    }
  }
  // A browser whose connection ends is back after `retry`.
  return "retry: 1000\n" + event("state", state);
}

Json EventFeed::stream_summary(const LiveStream& live) {
  const runtime::StreamRecord& stream = live.stream;
  const bool is_live = live.live();
  const std::uint32_t measured = stream.measured.rate_5s_milli.get();
  const std::uint32_t rate = measured != 0 ? measured : stream.session.frame_rate_milli;
  return {{"id", positive_or_null(stream.stream_id)},
          {"app", std::string(stream.app.view())},
          {"name", std::string(stream.name.view())},
          {"live", is_live},
          {"started_at", is_live ? time_or_null(stream.session.started_wall_ms) : Json(nullptr)},
          {"width", is_live ? positive_or_null(stream.session.width) : Json(nullptr)},
          {"height", is_live ? positive_or_null(stream.session.height) : Json(nullptr)},
          {"frame_rate", is_live && rate != 0 ? Json(per_second(rate)) : Json(nullptr)},
          {"bit_rate", is_live ? bit_rate(live) : Json(nullptr)},
          {"recording", live.recording ? recording_summary(*live.recording) : Json(nullptr)}};
}

Json EventFeed::recording_summary(const runtime::RecordingRecord& recording) {
  Json json = recording_json(recording);
  json["window_left_seconds"] = nullptr;
  if (recording.state == runtime::RecordingState::kInterrupted) {
    const std::int64_t gone = backend_.clock().monotonic_ms() - recording.interrupted_ms;
    const std::int64_t left = recording.rules.reconnect_window_ms - gone;
    json["window_left_seconds"] = std::max<std::int64_t>(0, (left + 999) / 1000);
  }
  return json;
}

Json EventFeed::bit_rate(const LiveStream& live) {
  std::deque<Received>& received = received_[live.stream.session.id];
  const Received now{backend_.clock().monotonic_ms(), live.stream.bytes_in.get()};
  received.push_back(now);
  while (received.size() > 2 && received[1].at_ms <= now.at_ms - kRateMs) {
    received.pop_front();
  }
  const std::int64_t took = now.at_ms - received.front().at_ms;
  return took > 0 ? Json((now.bytes - received.front().bytes) * 8000 / took) : Json(nullptr);
}

// Through the one connection that writes: a version is of a connection only. What it finds is told
// at the next look.
void EventFeed::ask_catalog() {
  if (catalog_->asking) {
    return;
  }
  catalog_->asking = true;
  backend_.catalog().write(
      [known = *catalog_](catalog::Catalog& rows) -> Result<CatalogNews> {
        Result<std::int64_t> version = rows.version();
        if (!version || version.value() == known.version) {
          return known;
        }
        Result<catalog::WorkFigures> work = rows.work_figures();
        return work ? CatalogNews{true, version.value(), work.value()} : known;
      },
      [news = catalog_](Result<CatalogNews> now) {
        if (now) {
          *news = now.value();
        }
        news->asking = false;
      });
}

// What nginx keeps open and adds to; by itself it is the present state.
void watch_events(Call call) {
  EventFeed feed(*call.backend);
  (void)feed.look();
  Response response;
  response.body = feed.all();
  response.content_type = kEventStream;
  call.done(std::move(response));
}

}  // namespace recording::api
