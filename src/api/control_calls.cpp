#include <functional>
#include <memory>
#include <utility>

#include "api/calls.hpp"
#include "api/json.hpp"
#include "api/live_view.hpp"
#include "api/replies.hpp"
#include "api/stream_json.hpp"
#include "api/video_json.hpp"
#include "recorder/control.hpp"
#include "recorder/space.hpp"

namespace recording::api {

namespace {

using recorder::Control;

// Does the verb on a stream of the live state. Empty: the stream is not there (any more).
using Verb = std::function<std::optional<Response>(const Call&, std::int32_t stream_index)>;

// The live state learns a new stream's id a moment after the catalogue has given it one.
std::int64_t id_of(const runtime::StreamRecord& stream, const Target& target) {
  return stream.stream_id != 0 ? stream.stream_id : target.id.value_or(0);
}

// `no_id` becomes true where it wants only a video id.
std::optional<Response> start_live(const Call& call, std::int32_t stream_index, bool& no_id) {
  Backend& backend = *call.backend;
  Result<Control> control = recorder::start_recording(backend.state(), backend.clock(),
                                                      stream_index, backend.min_free_bytes());
  no_id = !control && control.error().message.starts_with("catalog_unavailable");
  if (!control) {
    return control.error().code == Errc::kNotFound ? std::nullopt
                                                   : std::optional(failure(control.error()));
  }
  backend.wake(control.value().wake_pid);
  const std::int64_t id = id_of(control.value().stream, call.target);
  Json answer;
  answer["data"] = {{"stream", {{"id", positive_or_null(id)}}}};
  answer["errors"] = Json::array();
  answer["warnings"] = Json::array();
  if (const auto space = recorder::space_of(backend.state(), backend.min_free_bytes()); space.low) {
    answer["warnings"].push_back({{"code", "space_low"}, {"message", recorder::in_words(space)}});
  }
  answer["recording"] = recording_json(control.value().recording);
  return reply(200, answer);
}

std::optional<Response> stop_live(const Call& call, std::int32_t stream_index) {
  Backend& backend = *call.backend;
  Result<Control> control =
      recorder::stop_recording(backend.state(), backend.clock(), stream_index);
  if (!control) {
    return control.error().code == Errc::kNotFound ? std::nullopt
                                                   : std::optional(failure(control.error()));
  }
  if (control.value().recording.in_use == 0) {
    return no_content();
  }
  backend.wake(control.value().wake_pid);
  LiveVideo video = live_video_of(control.value().recording, control.value().stream);
  if (video.recording.stream_id == 0) {
    video.recording.stream_id = call.target.id.value_or(0);
  }
  return reply(200, video_json(view_of(video), call.request.links, {}));
}

// A stream that the live state does not know under this name or id: the catalogue tells whether it
// exists. An id that was new to the live state is then looked for by its name once more.
void ask_catalog(Call call, const Verb& verb, Response not_live) {
  Backend& backend = *call.backend;
  const Target target = call.target;
  backend.catalog().read(
      [target](catalog::Catalog& rows) {
        return target.id ? rows.stream(*target.id) : rows.stream(target.app, target.name);
      },
      [call = std::move(call), verb,
       not_live = std::move(not_live)](Result<catalog::StreamRow> row) mutable {
        if (!row) {
          return call.done(catalog_failure(row.error()));
        }
        call.target.id = row.value().id;
        Target by_name;
        by_name.app = row.value().app;
        by_name.name = row.value().name;
        Result<std::optional<LiveStream>> live = find_live_stream(call.backend->state(), by_name);
        if (!live) {
          return call.done(failure(live.error()));
        }
        std::optional<Response> response;
        if (live.value()) {
          response = verb(call, live.value()->index);
        }
        call.done(response ? std::move(*response) : std::move(not_live));
      });
}

// The live state first: it answers at once, also while the catalogue's disk hangs.
void control(Call call, const Verb& verb, Response not_live) {
  Result<std::optional<LiveStream>> live = find_live_stream(call.backend->state(), call.target);
  if (!live) {
    return call.done(failure(live.error()));
  }
  if (live.value()) {
    if (std::optional<Response> response = verb(call, live.value()->index)) {
      return call.done(std::move(*response));
    }
  }
  ask_catalog(std::move(call), verb, std::move(not_live));
}

void start(Call call, const std::shared_ptr<bool>& no_id) {
  control(
      std::move(call),
      [no_id](const Call& now, std::int32_t index) { return start_live(now, index, *no_id); },
      failure(409, "stream_not_live",
              "nobody publishes this stream; start the encoder, or set auto_record to record it "
              "from its first frame"));
}

}  // namespace

// The housekeeper keeps ids in stock. Right after a start of nginx there may be none yet: then one
// is asked for and waited for.
void start_recording(Call call) {
  auto no_id = std::make_shared<bool>(false);
  Call first = call;
  first.done = [call = std::move(call), no_id](Response response) mutable {
    if (!*no_id) {
      return call.done(std::move(response));
    }
    call.backend->catalog().write(
        [](catalog::Catalog& catalog) { return catalog.lease_video_ids(1); },
        [call = std::move(call), no_id](Result<catalog::IdRange> lease) mutable {
          const runtime::IdBlock stock = call.backend->state().shared_gauges()->video_ids;
          if (lease && stock.next >= stock.end) {
            if (auto live = call.backend->state().begin()) {
              live.value().stock_video_ids(lease.value().first, lease.value().end);
            }
          }
          start(std::move(call), no_id);  // what it says now stands
        });
  };
  start(std::move(first), no_id);
}

void stop_recording(Call call) { control(std::move(call), stop_live, no_content()); }

}  // namespace recording::api
