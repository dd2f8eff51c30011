#include "recorder/recorder.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "recorder/live_change.hpp"
#include "recorder/write_rounds.hpp"

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
                               [&](const auto& session) { return session->holds(index); }) ||
                   std::any_of(tails_.begin(), tails_.end(),
                               [&](const auto& session) { return session->holds(index); });
          }) {}

Recorder::~Recorder() = default;

Session* Recorder::find(const std::string& app, const std::string& name) {
  for (const auto& session : sessions_) {
    if (session->publisher().name == name && session->publisher().app == app) {
      return session.get();
    }
  }
  return nullptr;
}

Admission Recorder::admit(const std::string& app, const std::string& name,
                          std::int64_t takeover_ms) {
  Admission admission;
  auto lock =
      runtime::OwnerLock::try_acquire(runtime::stream_lock_path(env_.runtime_directory, app, name));
  if (lock) {
    admission.how = Admission::How::kFree;
    admission.lock = std::move(lock).value();
    return admission;
  }
  if (lock.error().code != Errc::kConflict) {
    admission.why = lock.error().message;
    return admission;
  }
  admission.how = Admission::How::kRefused;
  if (takeover_ms < 0) {
    return admission;
  }
  if (Session* here = find(app, name); here != nullptr) {
    if (here->silent_ms() >= takeover_ms) {
      admission.how = Admission::How::kReplaceHere;
      admission.replaced = here;
    }
    return admission;
  }
  auto begun = env_.state.begin();
  if (!begun) {
    return admission;
  }
  const LiveState::Transaction live = std::move(begun).value();
  const runtime::StreamRecord* stream = live.stream(live.find_stream(app, name));
  if (stream != nullptr && stream->session.id != 0 &&
      env_.clock.monotonic_ms() - stream->last_message_ms.get() >= takeover_ms) {
    admission.how = Admission::How::kReplaceElsewhere;
  }
  return admission;
}

Session* Recorder::begin(Publisher publisher, Admission admission) {
  if (admission.how == Admission::How::kReplaceHere) {
    admission.replaced->replace();
    end(admission.replaced, SessionEnd::kInterrupted);
  } else if (admission.how == Admission::How::kReplaceElsewhere) {
    std::int32_t pid = 0;
    env_.changes.make_now([&](LiveState::Transaction& live) {
      const std::int32_t index = live.find_stream(publisher.app, publisher.name);
      if (live.stream(index) != nullptr) {
        runtime::StreamRecord& stream = live.edit_stream(index);
        stream.replaced = stream.session.id;
        pid = stream.session.pid;
      }
    });
    if (pid != 0) {
      env_.wakeup.wake(pid);
    }
  }
  auto session = std::make_shared<Session>(
      env_, std::move(publisher), std::move(admission.lock),
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
  if (session->has_tail()) {
    tails_.push_back(*found);
  }
  sessions_.erase(found);
}

void Recorder::drain() {
  if (draining_since_ms_ == 0) {
    draining_since_ms_ = env_.clock.monotonic_ms();
    housekeeper_.hand_over();
  }
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
  for (std::size_t i = 0; i < kept_.size(); ++i) {  // one of them may have waited for this
    kept_[i]->tick();
  }
  housekeeper_.look();
}

void Recorder::tick() {
  env_.changes.retry();
  for (const auto& session : sessions_) {
    session->tick();
    if (draining_since_ms_ != 0) {
      session->drain(draining_since_ms_);
    }
  }
  for (const auto& recording : kept_) {
    recording->tick();
  }
  std::erase_if(kept_, [](const auto& recording) { return recording->closed(); });
  std::erase_if(tails_, [](const auto& session) { return !session->has_tail(); });
  housekeeper_.tick();
  env_.rounds.tick();
}

bool Recorder::busy() const {
  return !tails_.empty() || std::any_of(kept_.begin(), kept_.end(), [](const auto& recording) {
    return !recording->closed() && !recording->waiting();
  });
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
    edited.left_wall_ms = env_.clock.wall_ms();
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
