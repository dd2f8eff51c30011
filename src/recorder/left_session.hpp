#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "recorder/environment.hpp"

// Sessions that ended without a word, because their worker was killed or nginx was stopped. Whoever
// finds that nobody has the stream's lock any more tells it for them: the next publisher, or the
// housekeeper. Event loop only.
namespace recording::recorder {

struct LeftSession {
  std::string app, name;
  std::int64_t stream_id = 0;  // 0: not known
  std::int64_t ended_wall_ms = 0;
  catalog::SessionRow history;  // id 0: its worker still had the time to leave, and that only
  // The recording that waits for the encoder now; an empty slug: none.
  std::string recording_slug;
  std::int64_t video_id = 0, window_ms = 0;
};

// Takes the stream's last session out of the live state, and interrupts what was recorded of it;
// nothing: there is none of which nobody was told. Nobody else may have the stream's lock.
std::optional<LeftSession> take_left_session(runtime::LiveState::Transaction& live,
                                             std::int32_t stream, const Clock& clock);

// The events and the time in the catalogue that Session::end() would have given.
void tell_left_session(Environment& environment, const LeftSession& left);

// Looks for such sessions in all streams, recorded or not, and tells them.
void tell_left_sessions(Environment& environment);

}  // namespace recording::recorder
