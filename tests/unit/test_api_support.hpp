#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.hpp"
#include "api/json.hpp"
#include "api/live_view.hpp"
#include "support/fake_clock.hpp"
#include "support/inline_executor.hpp"
#include "test_catalog_support.hpp"

namespace recording::test {

class FakeBackend final : public api::Backend {
 public:
  FakeBackend() {
    if (auto opened = runtime::LiveState::open(folder.path(), 1 << 20)) {
      live_state = std::move(opened).value();
    }
    service = std::make_unique<catalog::CatalogService>(
        executor,
        [this](bool writer) -> Result<std::unique_ptr<catalog::Catalog>> {
          if (!catalog_reachable) {
            return Error{Errc::kUnavailable, "the catalogue is away"};
          }
          return catalog::open_sqlite_catalog(folder.catalog_path(), writer);
        },
        2);
    rows = open_catalog(folder);
    live_state->shared_gauges()->spool_free_bytes.set(-1);
    edit([](auto& live) { live.edit_shared().video_ids = {100, 200}; });
  }

  runtime::LiveState& state() override { return *live_state; }
  catalog::CatalogService& catalog() override { return *service; }
  const Clock& clock() override { return fake_clock; }
  [[nodiscard]] std::int64_t min_free_bytes() const override { return 1000; }
  void wake(std::int32_t pid) override { woken.push_back(pid); }
  [[nodiscard]] recorder::Deletion deletion() const override {
    return {{"http://hook/"}, "requested", fake_clock.wall_ms()};
  }
  void remove_files(const recorder::Deletion&, const catalog::VideoRow& row,
                    std::function<void(Status)> then) override {
    removed.push_back(row.slug);
    then(removal_fails ? Status(Error{Errc::kIo, "disk broken"}) : ok());
  }
  void read_timeline(const catalog::VideoRow& row, const api::LiveVideo* live,
                     std::function<void(Result<recorder::Timeline>)> then) override {
    timeline_asked = row.slug;
    if (live != nullptr) {
      timeline_asked += " " + live->app + "/" + live->stream_name + " " +
                        std::to_string(live->recording.committed_bytes.get());
    }
    then(timeline);
  }
  [[nodiscard]] std::optional<bool> application_auto_record(const std::string& app) const override {
    return app == "always" ? std::optional(true) : std::nullopt;
  }

  template <class Change>
  void edit(const Change& change) {
    auto live = live_state->begin();
    change(live.value());
  }

  // Somebody publishes; `stream_id` 0: the catalogue was not asked yet.
  std::int32_t publish(const std::string& app, const std::string& name, std::int64_t stream_id,
                       std::int32_t pid = 42) {
    std::int32_t index = runtime::kNone;
    edit([&](auto& live) {
      index = live.ensure_stream(app, name).value();
      auto& stream = live.edit_stream(index);
      stream.stream_id = stream_id;
      stream.settings_known = stream_id != 0;
      stream.session.id = 0xabcdef0123456789;
      stream.session.pid = pid;
      stream.session.started_wall_ms = 1'800'000'000'000;
      stream.session.width = 1920;
      stream.session.height = 1080;
      stream.session.frame_rate_milli = 29970;
      stream.session.video_codec = 1;
    });
    return index;
  }

  runtime::StreamRecord stream(std::int32_t index) {
    auto live = live_state->begin();
    return *live.value().stream(index);
  }

  // The recording of the stream, as its owner would have brought it forward.
  void save(std::int32_t stream_index, std::int64_t bytes, std::int64_t duration_ms) {
    const auto index = stream(stream_index).recording;
    edit([&](auto& live) { live.edit_recording(index).state = runtime::RecordingState::kActive; });
    live_state->recording_gauges(index)->committed_bytes.set(bytes);
    live_state->recording_gauges(index)->duration_ms.set(duration_ms);
  }

  TemporaryFolder folder;
  InlineExecutor executor;
  FakeClock fake_clock;
  std::unique_ptr<runtime::LiveState> live_state;
  std::unique_ptr<catalog::CatalogService> service;
  std::unique_ptr<catalog::Catalog> rows;  // what the catalogue has, seen from beside
  bool catalog_reachable = true;
  bool removal_fails = false;
  std::vector<std::int32_t> woken;
  std::vector<std::string> removed;
  Result<recorder::Timeline> timeline = Error{Errc::kNotFound, "no file"};
  std::string timeline_asked;
  exporter::Links links{"https://media.example.com/videos/", "/videos/", {}, 0};
};

struct Answer {
  int calls = 0;
  api::Response response;
  api::Json json;  // discarded when the body is no JSON

  [[nodiscard]] int status() const { return calls == 1 ? response.status : -calls; }
  // "" when there is none.
  [[nodiscard]] std::string error_code() const {
    return json.is_object() && json.contains("error") ? json["error"].value("code", "") : "";
  }
  [[nodiscard]] std::string error_message() const {
    return json.is_object() && json.contains("error") ? json["error"].value("message", "") : "";
  }
};

inline Answer call(FakeBackend& backend, api::Method method, const std::string& target,
                   const std::string& body = "", const std::string& type = "application/json") {
  api::Request request;
  request.method = method;
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == std::string::npos ? "" : target.substr(mark + 1);
  request.body = body;
  request.content_type = body.empty() ? "" : type;
  request.links = backend.links;
  request.rtmp_url = "rtmp://media.example.com/";
  Answer answer;
  api::Api(backend).handle(std::move(request), [&answer](api::Response response) {
    ++answer.calls;
    answer.response = std::move(response);
  });
  answer.json = api::Json::parse(answer.response.body, nullptr, false);
  return answer;
}

}  // namespace recording::test
