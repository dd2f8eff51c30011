// How a recording comes into the hands of who continues or finishes it.
#include <algorithm>

#include "recorder/live_change.hpp"
#include "recorder/recording.hpp"

namespace recording::recorder {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;

ComebackRequest comeback_request(const Environment& environment, const RecordingRecord& record,
                                 const mp4::Identity& identity) {
  ComebackRequest request;
  request.spool = environment.spool;
  request.runtime_directory = environment.runtime_directory;
  request.stored_path = environment.storage + "/" + storage_folder(identity) + "/source.mp4";
  request.identity = identity;
  request.synced = record.rules.sync == 1;
  for (const runtime::EarlierSession& left : record.earlier) {
    if (left.session != 0) {
      SessionPart earlier;
      earlier.session = left.session;
      earlier.first = left.first_ordinal;
      request.parts.push_back(earlier);
    }
  }
  if (record.session != 0) {
    SessionPart last;
    last.session = record.session;
    last.first = record.first_ordinal;
    if (record.bounded != 0) {
      last.end = record.end_ordinal;
    }
    request.parts.push_back(last);
  }
  return request;
}

namespace {

// Of sessions whose samples are in the file now; others may have come since.
void forget_earlier(RecordingRecord& record, const std::vector<SessionPart>& added) {
  auto left = record.earlier.begin();
  for (const runtime::EarlierSession& earlier : record.earlier) {
    if (std::none_of(added.begin(), added.end(),
                     [&](const SessionPart& part) { return part.session == earlier.session; })) {
      *left++ = earlier;
    }
  }
  std::fill(left, record.earlier.end(), runtime::EarlierSession{});
}

}  // namespace

// Somebody else may have been quicker: then our session is not the recording's last one any more,
// or what it has is in the file already.
bool Recording::take_over() {
  auto lock =
      runtime::OwnerLock::try_acquire(recording_lock_path(env_.runtime_directory, identity_.slug));
  if (!lock) {
    return false;  // its holder wakes all when it lets go
  }
  bool ours = false, added = true;
  const bool looked = env_.changes.make_now([&](LiveState::Transaction& live) {
    const RecordingRecord* record = live.recording(index_);
    if (record == nullptr || record->slug.view() != identity_.slug ||
        record->state == RecordingState::kSettled) {
      return;
    }
    ours = record->session == joining_;
    added = !ours && std::none_of(record->earlier.begin(), record->earlier.end(),
                                  [&](const auto& earlier) { return earlier.session == joining_; });
    if (ours) {
      comeback_ = comeback_request(env_, *record, identity_);
      counted_bytes_ = static_cast<std::uint64_t>(record->committed_bytes.get());
      comeback_.parts.pop_back();  // the queue has it
    }
  });
  if (looked && ours) {
    lock_ = std::move(lock).value();
  } else if (looked && added) {
    queue_.clear();
    close();
  }
  return looked && ours;
}

// One session may have filled several recordings, and lie in the same segments for all of them.
bool Recording::find_shared_sessions(std::vector<std::uint64_t>& sessions) {
  auto begun = env_.state.begin();
  if (!begun) {
    return false;
  }
  const LiveState::Transaction live = std::move(begun).value();
  live.for_each_recording([&](std::int32_t index, const RecordingRecord& record) {
    if (index != index_) {
      sessions.push_back(record.session);
      for (const runtime::EarlierSession& earlier : record.earlier) {
        sessions.push_back(earlier.session);
      }
    }
  });
  return true;
}

void Recording::post_comeback() {
  ComebackRequest request = comeback_;
  RecordingRecord* known = env_.state.recording_gauges(index_);
  request.suspect_from = &known->suspect_from;
  request.committed = static_cast<std::uint64_t>(known->committed_bytes.get());
  if (!find_shared_sessions(request.shared_sessions)) {
    return;  // the next tick tries again
  }
  busy_ = true;  // the answer may come before post() returns
  const bool posted = post(
      env_.io,
      [files = files_, request = std::move(request)]() {
        return recorder::come_back(*files, request);
      },
      [self = shared_from_this()](Result<Comeback> result) {
        self->busy_ = false;
        if (!result) {
          if (result.error().code == Errc::kCorrupt) {
            self->needs_comeback_ = false;
            self->give_up(result.error());
            return;
          }
          self->failed(result.error(), "come back");
          return;
        }
        self->retry_step_ms_ = 0;
        self->needs_comeback_ = false;
        self->env_.changes.make([self](LiveState::Transaction& live) {
          const RecordingRecord* record = live.recording(self->index_);
          if (record != nullptr && record->slug.view() == self->identity_.slug) {
            forget_earlier(live.edit_recording(self->index_), self->comeback_.parts);
          }
        });
        self->writer_ = std::move(result.value().writer);
        if (self->writer_ != nullptr) {
          if (const auto& cut = self->writer_->cut_off()) {
            self->env_.log.write(level_of(*cut),
                                 tell(*cut, spool_path(self->env_.spool, self->identity_.slug)));
          }
          RecordingRecord* gauges = self->env_.state.recording_gauges(self->index_);
          gauges->committed_bytes.set(static_cast<std::int64_t>(self->writer_->file().length()));
          gauges->last_index.set(static_cast<std::int64_t>(self->writer_->file().last_index()));
          gauges->duration_ms.set(self->writer_->file().duration_ms());
          self->count_bytes(self->writer_->file().length());
          tell_changes(self->env_.events, self->env_.state.metrics(), self->identity_,
                       self->writer_->take_changes());
        }
        if (result.value().recovered_samples != 0) {
          self->env_.log.write(LogLevel::kNotice,
                               "recording " + self->identity_.slug + ": " +
                                   std::to_string(result.value().recovered_samples) +
                                   " samples recovered from the journal");
        }
        self->pump();
      });
  if (!posted) {
    busy_ = false;  // the next tick tries again
  }
}

}  // namespace recording::recorder
