#include "recorder/housekeeper.hpp"

#include <algorithm>

#include "recorder/left_session.hpp"
#include "recorder/live_change.hpp"
#include "recorder/stream_settings.hpp"
#include "runtime/journal.hpp"

namespace recording::recorder {
namespace {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

constexpr std::int64_t kFewIds = 64, kLease = 256;
constexpr std::int64_t kSweepTicks = 2;
// Every other worker looks for the lock once a second.
constexpr std::int64_t kHandOverMs = 3000;

// Streams with a tentative recording and without a session.
std::vector<std::int32_t> streams_with_left(const LiveState::Transaction& live) {
  std::vector<std::int32_t> streams;
  live.for_each_recording([&](std::int32_t, const RecordingRecord& record) {
    const StreamRecord* stream = live.stream(record.stream);
    if (record.tentative != 0 && !is_withdrawn(record) && stream != nullptr &&
        stream->session.id == 0) {
      streams.push_back(record.stream);
    }
  });
  return streams;
}

}  // namespace

Housekeeper::~Housekeeper() { *alive_ = false; }

void Housekeeper::hand_over() {
  lock_.reset();
  not_before_ms_ = env_.clock.monotonic_ms() + kHandOverMs;
}

void Housekeeper::tick() {
  if (!lock_) {
    if (env_.clock.monotonic_ms() < not_before_ms_) {
      return;
    }
    auto taken =
        runtime::OwnerLock::try_acquire(runtime::housekeeper_lock_path(env_.runtime_directory));
    if (!taken) {
      return;
    }
    lock_ = std::move(taken).value();
  }
  ++ticks_;
  lease_ids();
  space_.tick();
  search_spool();
  settle_left();
  tell_left_sessions(env_);
  look();
  if (ticks_ % kSweepTicks == 0) {
    sweep_journals();
    retention_.tick();
  }
}

void Housekeeper::look() {
  if (!lock_) {
    return;
  }
  for (const Orphan& orphan : find_orphans()) {
    switch (orphan.record.state) {
      case RecordingState::kRequested:
      case RecordingState::kActive:
        mark_interrupted(orphan);
        break;
      case RecordingState::kInterrupted:
        if (env_.clock.monotonic_ms() - orphan.record.interrupted_ms >=
            orphan.record.rules.reconnect_window_ms) {
          adopt(orphan);
        }
        break;
      default:
        adopt(orphan);
    }
  }
}

// Recordings without a holder. Whether one has is asked of its lock, after the live state was let
// go.
std::vector<Housekeeper::Orphan> Housekeeper::find_orphans() {
  std::vector<Orphan> found;
  {
    auto begun = env_.state.begin();
    if (!begun) {
      return found;
    }
    const LiveState::Transaction live = std::move(begun).value();
    live.for_each_recording([&](std::int32_t index, const RecordingRecord& record) {
      if (const StreamRecord* stream = live.stream(record.stream); stream != nullptr) {
        found.push_back({index, record, *stream});
      }
    });
  }
  std::erase_if(found, [&](const Orphan& orphan) {
    if (holds_(orphan.index)) {
      return true;
    }
    const bool new_one = orphan.record.state == RecordingState::kRequested ||
                         orphan.record.state == RecordingState::kActive;
    if (orphan.record.tentative != 0 && !new_one && !is_withdrawn(orphan.record)) {
      return true;  // not before it is known what becomes of it
    }
    // What is wanted but not begun, and what is being handed over or waited for, is the publisher's
    // worker's.
    const bool its_session =
        orphan.record.session != 0 && orphan.record.session == orphan.stream.session.recorded_id;
    if ((new_one || its_session || orphan.stream.recording == orphan.index) &&
        runtime::OwnerLock::is_held(runtime::stream_lock_path(
            env_.runtime_directory, orphan.stream.app.view(), orphan.stream.name.view()))) {
      return true;
    }
    return false;
  });
  return found;
}

// Tentative recordings whose session has gone: nobody else asks what the settings say.
void Housekeeper::settle_left() {
  if (asking_) {
    return;
  }
  std::int32_t unknown = runtime::kNone;
  std::string app, name;
  env_.changes.make_now([&](LiveState::Transaction& live) {
    for (const std::int32_t index : streams_with_left(live)) {
      settle_tentative(live, env_.clock, index, false);
      if (const StreamRecord& stream = *live.stream(index); stream.settings_known == 0) {
        unknown = index;
        app = stream.app.view();
        name = stream.name.view();
      }
    }
  });
  if (unknown == runtime::kNone) {
    return;
  }
  asking_ = true;
  learn_settings(
      env_, unknown, app, name, std::nullopt, [this, alive = alive_](Result<std::int64_t> told) {
        if (!*alive) {
          return;
        }
        asking_ = false;
        if (!told) {
          // Without an answer the application's word counts, but only to keep what there is.
          env_.changes.make_now([this](LiveState::Transaction& live) {
            for (const std::int32_t index : streams_with_left(live)) {
              settle_tentative(live, env_.clock, index, is_automatic(*live.stream(index)));
            }
          });
        }
        env_.wakeup.wake_all();
      });
}

void Housekeeper::mark_interrupted(const Orphan& orphan) {
  std::optional<LeftSession> session;
  env_.changes.make_now([&](LiveState::Transaction& live) {
    const RecordingRecord* record = live.recording(orphan.index);
    if (record == nullptr || record->slug.view() != orphan.record.slug.view() ||
        record->state != orphan.record.state) {
      return;
    }
    const std::int64_t last_ms = live.stream(record->stream)->last_message_ms.get();
    if (live.stream(record->stream)->session.id == orphan.stream.session.id) {
      session = take_left_session(live, record->stream, env_.clock);
    }
    RecordingRecord& left = live.edit_recording(orphan.index);
    left.state = RecordingState::kInterrupted;
    left.interrupted_ms = std::max(last_ms, left.interrupted_ms);
    left.end_reason.assign("worker_died");
  });
  if (session) {
    tell_left_session(env_, *session);
  }
}

void Housekeeper::adopt(const Orphan& orphan) {
  auto taken =
      Recording::take(env_, orphan.index, orphan.record, identity_of(orphan.record, orphan.stream));
  if (!taken) {
    return;  // somebody holds it after all
  }
  bool ours = false;
  env_.changes.make_now([&](LiveState::Transaction& live) {
    const RecordingRecord* record = live.recording(orphan.index);
    if (record == nullptr || record->slug.view() != orphan.record.slug.view() ||
        record->state != orphan.record.state) {
      return;
    }
    ours = true;
    if (record->state == RecordingState::kInterrupted) {
      RecordingRecord& ended = live.edit_recording(orphan.index);
      ended.state = RecordingState::kEnding;
      env_.state.metrics().count(runtime::InterruptionEnd::kEnded);
      if (ended.end_reason.size == 0) {
        ended.end_reason.assign("interrupted");
      }
      if (live.stream(ended.stream)->recording == orphan.index) {
        live.edit_stream(ended.stream).recording = runtime::kNone;
      }
    }
  });
  if (!ours) {
    return;
  }
  std::shared_ptr<Recording> recording = std::move(taken).value();
  recording->come_back();
  recording->finish();
  keep_(std::move(recording));
}

void Housekeeper::lease_ids() {
  const runtime::IdBlock block = env_.state.shared_gauges()->video_ids;
  if (leasing_ || block.end - block.next >= kFewIds) {
    return;
  }
  leasing_ = true;
  env_.catalog.write(
      [](catalog::Catalog& catalog) { return catalog.lease_video_ids(kLease); },
      [this](Result<catalog::IdRange> lease) {
        leasing_ = false;
        if (!lease) {
          return;
        }
        env_.changes.make([range = lease.value()](LiveState::Transaction& live) {
          live.stock_video_ids(range.first, range.end);
        });
        // Recordings that began before the first lease get their ids now.
        env_.changes.make([](LiveState::Transaction& live) {
          std::vector<std::int32_t> without;
          live.for_each_recording([&](std::int32_t index, const RecordingRecord& record) {
            if (record.video_id == 0) {
              without.push_back(index);
            }
          });
          for (const std::int32_t index : without) {
            live.edit_recording(index).video_id = live.take_video_id();
          }
        });
      });
}

void Housekeeper::sweep_journals() {
  if (sweeping_ || !journals_known_) {
    return;
  }
  std::vector<std::uint64_t> keep;
  {
    auto begun = env_.state.begin();
    if (!begun) {
      return;
    }
    const LiveState::Transaction live = std::move(begun).value();
    live.for_each_recording([&](std::int32_t, const RecordingRecord& record) {
      keep.push_back(record.session);
      for (const runtime::EarlierSession& earlier : record.earlier) {
        keep.push_back(earlier.session);
      }
    });
  }
  sweeping_ = post(
      env_.io,
      [directory = env_.runtime_directory, keep = std::move(keep)]() {
        return runtime::remove_dead_journals(directory, keep);
      },
      [this](Status) { sweeping_ = false; });
}

}  // namespace recording::recorder
