#include "recorder/left_session.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "recorder/session_history.hpp"
#include "runtime/stream_lock.hpp"

namespace recording::recorder {
namespace {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

void note_recording(const RecordingRecord& record, LeftSession& left) {
  const bool goes_on = record.rules.reconnect_window_ms > 0;
  if (goes_on && record.announced != 0 && record.tentative == 0) {
    left.recording_slug = record.slug.view();
    left.video_id = record.video_id;
    left.window_ms = record.rules.reconnect_window_ms;
  }
}

}  // namespace

std::optional<LeftSession> take_left_session(LiveState::Transaction& live, std::int32_t index,
                                             const Clock& clock) {
  const StreamRecord* found = live.stream(index);
  if (found == nullptr || (found->session.id == 0 && found->left_wall_ms == 0)) {
    return std::nullopt;
  }
  StreamRecord& stream = live.edit_stream(index);
  LeftSession left;
  left.app = stream.app.view();
  left.name = stream.name.view();
  left.stream_id = stream.stream_id;
  const std::int64_t last_ms = stream.last_message_ms.get();
  left.ended_wall_ms =
      stream.left_wall_ms != 0
          ? stream.left_wall_ms
          : clock.wall_ms() - std::max<std::int64_t>(clock.monotonic_ms() - last_ms, 0);
  left.history = session_row(stream);
  left.history.ended_at = left.ended_wall_ms;
  left.history.end_reason = "worker_ended";
  stream.left_wall_ms = 0;
  stream.session = {};
  stream.playback = {};
  const RecordingRecord* record = live.recording(stream.recording);
  if (record == nullptr) {
    return left;
  }
  if (record->state == RecordingState::kActive) {
    RecordingRecord& interrupted = live.edit_recording(stream.recording);
    interrupted.state = RecordingState::kInterrupted;
    interrupted.interrupted_ms = std::max(last_ms, interrupted.interrupted_ms);
    interrupted.end_reason.assign("worker_died");
    note_recording(interrupted, left);
  } else if (record->state == RecordingState::kInterrupted) {
    note_recording(*record, left);
  }
  return left;
}

void tell_left_session(Environment& environment, const LeftSession& left) {
  const EventStream stream{left.app, left.name, left.stream_id};
  if (!left.recording_slug.empty()) {
    environment.events.emit("recording.interrupted", stream,
                            {{"recording_id", left.recording_slug},
                             {"video_id", left.video_id},
                             {"window_ms", left.window_ms}});
  }
  environment.events.emit("stream.ended", stream, {});
  keep_ended(environment.catalog, left.app, left.name, left.history);
}

void tell_left_sessions(Environment& environment) {
  struct Candidate {
    std::int32_t index;
    StreamRecord stream;
  };
  std::vector<Candidate> candidates;
  {
    auto begun = environment.state.begin();
    if (!begun) {
      return;
    }
    const LiveState::Transaction live = std::move(begun).value();
    live.for_each_stream([&](std::int32_t index, const StreamRecord& stream) {
      if (stream.session.id != 0 || stream.left_wall_ms != 0) {
        candidates.push_back({index, stream});
      }
    });
  }
  for (const Candidate& candidate : candidates) {
    const StreamRecord& seen = candidate.stream;
    if (runtime::OwnerLock::is_held(runtime::stream_lock_path(environment.runtime_directory,
                                                              seen.app.view(), seen.name.view()))) {
      continue;
    }
    std::optional<LeftSession> left;
    environment.changes.make_now([&](LiveState::Transaction& live) {
      const StreamRecord* stream = live.stream(candidate.index);
      if (stream != nullptr && stream->session.id == seen.session.id &&
          stream->left_wall_ms == seen.left_wall_ms) {
        left = take_left_session(live, candidate.index, environment.clock);
      }
    });
    if (left) {
      tell_left_session(environment, *left);
    }
  }
}

}  // namespace recording::recorder
