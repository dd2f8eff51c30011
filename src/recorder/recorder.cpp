#include "recorder/recorder.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "recorder/live_change.hpp"

namespace recording::recorder {

using runtime::LiveState;
using runtime::RecordingState;

Recorder::Recorder(Environment& environment)
    : env_(environment),
      housekeeper_(
          environment, [this](std::shared_ptr<Recording> recording) { keep(std::move(recording)); },
          [this](std::int32_t index) {
            return std::any_of(kept_.begin(), kept_.end(),
                               [&](const auto& kept) {
                                 return !kept->closed() && kept->index() == index;
                               }) ||
                   std::any_of(sessions_.begin(), sessions_.end(),
                               [&](const auto& session) { return session->holds(index); });
          }) {}

Recorder::~Recorder() = default;

Result<runtime::OwnerLock> Recorder::claim(const std::string& app, const std::string& name) {
  return runtime::OwnerLock::try_acquire(
      runtime::stream_lock_path(env_.runtime_directory, app, name));
}

Session* Recorder::begin(Publisher publisher, runtime::OwnerLock claim) {
  auto session = std::make_unique<Session>(
      env_, std::move(publisher), std::move(claim),
      [this](std::shared_ptr<Recording> recording) { keep(std::move(recording)); });
  if (Status opened = session->open(); !opened) {
    env_.log.write(LogLevel::kError, to_valid_utf8(session->publisher().app) + "/" +
                                         to_valid_utf8(session->publisher().name) +
                                         " cannot be recorded: " + opened.error().message);
    return nullptr;
  }
  sessions_.push_back(std::move(session));
  return sessions_.back().get();
}

void Recorder::end(Session* session, SessionEnd how) {
  const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                  [&](const auto& one) { return one.get() == session; });
  if (found == sessions_.end()) {
    return;
  }
  session->end(how);
  sessions_.erase(found);
}

void Recorder::keep(std::shared_ptr<Recording> recording) {
  if (!recording->closed()) {
    kept_.push_back(std::move(recording));
  }
}

void Recorder::woken() {
  for (const auto& session : sessions_) {
    session->look();
  }
  housekeeper_.look();
}

void Recorder::tick() {
  env_.changes.retry();
  for (const auto& session : sessions_) {
    session->tick();
  }
  for (const auto& recording : kept_) {
    recording->tick();
  }
  std::erase_if(kept_, [](const auto& recording) { return recording->closed(); });
  housekeeper_.tick();
}

bool Recorder::busy() const {
  return std::any_of(kept_.begin(), kept_.end(),
                     [](const auto& recording) { return !recording->closed(); });
}

void Recorder::leave() {
  if (left_) {
    return;
  }
  left_ = true;
  env_.segments.abandon();
  auto begun = env_.state.begin();
  if (!begun) {
    return;  // the locks go with the process, and the housekeeper finds out by them
  }
  LiveState::Transaction live = std::move(begun).value();
  for (const auto& session : sessions_) {
    const runtime::StreamRecord* stream = live.stream(session->stream_index());
    if (stream == nullptr || stream->session.id != session->id()) {
      continue;
    }
    runtime::StreamRecord& edited = live.edit_stream(session->stream_index());
    edited.session = {};
    const runtime::RecordingRecord* record = live.recording(edited.recording);
    if (record != nullptr && record->state == RecordingState::kActive) {
      runtime::RecordingRecord& left = live.edit_recording(edited.recording);
      left.state = RecordingState::kInterrupted;
      left.interrupted_ms = edited.last_message_ms.get();
      left.ended_wall_ms = env_.clock.wall_ms();
      left.end_reason.assign("shutdown");
    }
  }
}

}  // namespace recording::recorder
