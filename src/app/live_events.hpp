#pragma once

#include "recorder/events.hpp"
#include "runtime/live_state.hpp"
#include "transcode/live_session.hpp"

namespace recording::app {

// What happens to live playback, as events. Event loop only.
class LiveEvents final : public transcode::LiveObserver {
 public:
  LiveEvents(runtime::LiveState& state, recorder::Events& events)
      : state_(state), events_(events) {}

  void started(const transcode::LiveSession& session) override;
  void failed(const transcode::LiveSession& session) override;
  void drifted(const transcode::LiveSession& session,
               const std::vector<transcode::Drift>& drift) override;

 private:
  void emit(const char* type, const transcode::LiveSession& session,
            const recorder::EventFacts& facts);

  runtime::LiveState& state_;
  recorder::Events& events_;
};

}  // namespace recording::app
