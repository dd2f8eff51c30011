#include "app/live_events.hpp"

#include <utility>

namespace recording::app {

using transcode::LiveSession;

void LiveEvents::emit(const char* type, const LiveSession& session,
                      const recorder::EventFacts& facts) {
  std::int64_t stream_id = 0;
  if (auto live = state_.begin(); live) {
    const std::int32_t index = live.value().find_stream(session.app(), session.name());
    if (const runtime::StreamRecord* stream = live.value().stream(index); stream != nullptr) {
      stream_id = stream->stream_id;
    }
  }
  events_.emit(type, {session.app(), session.name(), stream_id}, facts);
}

void LiveEvents::started(const LiveSession& session) {
  emit("transcoder.started", session,
       {{"restarts", std::int64_t{session.supervisor().restarts()}}});
}

void LiveEvents::failed(const LiveSession& session) {
  const bool refused = session.supervisor().state() == runtime::TranscoderState::kRefused;
  emit("transcoder.failed", session,
       {{"error", session.supervisor().error()},
        {"refused", refused},
        {"restarts", std::int64_t{session.supervisor().restarts()}}});
}

void LiveEvents::drifted(const LiveSession& session, const std::vector<transcode::Drift>& drift) {
  std::vector<media::ParameterChange> changes;
  std::string advice;
  for (const transcode::Drift& one : drift) {
    changes.push_back({one.field, one.frozen, one.measured});
    advice += (advice.empty() ? "" : " ") + one.advice;
  }
  emit("stream.drift", session, {{"drift", std::move(changes)}, {"advice", std::move(advice)}});
}

}  // namespace recording::app
