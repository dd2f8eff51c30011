// What earlier runs left: recordings in the spool, and rows without an outcome.
#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "recorder/events.hpp"
#include "recorder/housekeeper.hpp"
#include "recorder/live_change.hpp"
#include "recorder/stream_settings.hpp"
#include "recorder/timeline.hpp"

namespace recording::recorder {
namespace {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

struct FoundInSpool {
  std::vector<LeftInSpool> recordings;
  std::vector<std::pair<LogLevel, std::string>> to_tell;  // people
  // What could not be looked at, and why: names in the spool, or kSpoolItself.
  std::map<std::string, std::string> unread;
};
constexpr char kSpoolItself[] = "";

constexpr std::int64_t kSearchAgainMs = 5000;
// For so long what could not be read may still need a journal of the dead.
constexpr std::int64_t kKeepJournalsMs = 600000;

// Rows that wait for an outcome, whoever is to give it.
struct PendingRows {
  std::vector<mp4::Identity> recordings;
  std::vector<catalog::VideoRow> without_stream;  // it was deleted
};

// Pool threads.
Result<PendingRows> find_pending(catalog::Catalog& catalog) {
  PendingRows found;
  catalog::VideoFilter filter;
  filter.status = "pending";
  filter.limit = 1000;
  for (;; filter.offset += filter.limit) {
    auto rows = catalog.videos(filter);
    if (!rows) {
      return std::move(rows).error();
    }
    for (const catalog::VideoRow& row : rows.value()) {
      auto stream = catalog.stream(row.stream_id);
      if (!stream && stream.error().code != Errc::kNotFound) {
        return std::move(stream).error();
      }
      if (!stream) {
        found.without_stream.push_back(row);
        continue;
      }
      mp4::Identity identity;
      identity.slug = row.slug;
      identity.app = stream.value().app;
      identity.stream = stream.value().name;
      identity.video_id = row.id;
      identity.stream_id = row.stream_id;
      identity.started_wall_ms = row.recording_started_at;
      identity.transaction_id = row.transaction_id;
      identity.sequence = static_cast<std::uint32_t>(row.sequence);
      identity.record_type = row.record_type;
      found.recordings.push_back(std::move(identity));
    }
    if (rows.value().size() < static_cast<std::size_t>(filter.limit)) {
      return found;
    }
  }
}

// When the last of a file's samples came, as far as it tells.
std::int64_t last_wall_ms(storage::FileSystem& files, const std::string& spool,
                          const mp4::RecordingFile& file) {
  const mp4::Identity& identity = file.identity();
  auto reading = files.open_for_read(spool_path(spool, identity.slug));
  auto timeline =
      reading ? read_timeline(*reading.value(), file.length()) : Result<Timeline>(reading.error());
  if (timeline && !timeline.value().stretches.empty()) {
    const Timeline::Stretch& last = timeline.value().stretches.back();
    if (last.started_wall_ms != 0) {
      return last.started_wall_ms + last.end_ms - last.start_ms;
    }
  }
  return identity.started_wall_ms + file.duration_ms();
}

Result<bool> is_known(LiveState& state, const std::string& slug) {
  auto live = state.begin();
  if (!live) {
    return std::move(live).error();
  }
  return live.value().find_recording_by_slug(slug) != runtime::kNone;
}

// Pool threads. Leaves alone what somebody holds, and what the live state knows: who comes back to
// that knows more of it. `only`: these names; empty: all there are.
FoundInSpool look_into_spool(storage::FileSystem& files, LiveState& state, const Clock& clock,
                             const std::string& spool, const std::string& runtime,
                             const std::vector<std::string>& only) {
  FoundInSpool found;
  auto names = only.empty() ? files.list(spool) : Result<std::vector<std::string>>(only);
  if (!names) {
    found.unread.emplace(kSpoolItself, names.error().message);
    return found;
  }
  for (const std::string& slug : names.value()) {
    auto lock = runtime::OwnerLock::try_acquire(recording_lock_path(runtime, slug));
    if (!lock) {
      continue;
    }
    auto known = is_known(state, slug);
    if (!known) {
      found.unread.emplace(slug, known.error().message);
      continue;
    }
    if (known.value()) {
      continue;
    }
    auto writer = RecordingWriter::reopen(files, spool, slug);
    if (!writer && writer.error().code == Errc::kCorrupt) {
      const std::string path = spool_path(spool, slug);
      const Status aside = files.rename(path, path + ".unreadable");
      found.to_tell.emplace_back(LogLevel::kCrit,
                                 path +
                                     (aside ? " is set aside as source.mp4.unreadable: "
                                            : " cannot be read, nor set aside: ") +
                                     writer.error().message);
      continue;
    }
    if (!writer) {
      if (writer.error().code != Errc::kNotFound) {
        found.unread.emplace(slug, writer.error().message);
      }
      continue;
    }
    if (const auto& cut = writer.value()->cut_off()) {
      found.to_tell.emplace_back(level_of(*cut), tell(*cut, spool_path(spool, slug)));
    }
    const mp4::RecordingFile& file = writer.value()->file();
    LeftInSpool left{file.identity(), file.last_mark().session};
    left.silent_ms = std::max<std::int64_t>(clock.wall_ms() - last_wall_ms(files, spool, file), 0);
    left.length = file.length();
    left.duration_ms = file.duration_ms();
    for (const media::TrackKind kind : kBothKinds) {
      if (const media::TrackConfig* config = file.config(kind); config != nullptr) {
        left.codec[index_of(kind)] = static_cast<std::uint8_t>(config->codec);
      }
    }
    found.recordings.push_back(std::move(left));
  }
  return found;
}

}  // namespace

// Files in the spool that the live state knows nothing of: the machine was restarted, or its state
// was set aside. They are found by the identity that each carries.
void Housekeeper::search_spool() {
  const std::int64_t now = env_.clock.monotonic_ms();
  if (searched_ || now < search_not_before_ms_) {
    return;
  }
  const bool whole = search_only_.empty();
  first_search_ms_ = first_search_ms_ != 0 ? first_search_ms_ : now;
  searched_ = post(
      env_.io,
      [&files = env_.files, &state = env_.state, &clock = env_.clock, spool = env_.spool,
       runtime = env_.runtime_directory, only = std::exchange(search_only_, {})]() {
        return look_into_spool(files, state, clock, spool, runtime, only);
      },
      [this, whole](FoundInSpool found) {
        for (const auto& [level, line] : found.to_tell) {
          env_.log.write(level, line);
        }
        search_again(found.unread);
        // The latest part of a divided recording is the one that goes on.
        std::sort(found.recordings.begin(), found.recordings.end(),
                  [](const LeftInSpool& a, const LeftInSpool& b) {
                    return std::pair(a.identity.started_wall_ms, a.identity.sequence) >
                           std::pair(b.identity.started_wall_ms, b.identity.sequence);
                  });
        for (LeftInSpool& left : found.recordings) {
          welcome(std::move(left));
        }
        if (unread_.count(kSpoolItself) != 0) {
          return;
        }
        env_.changes.make([this](LiveState::Transaction& live) {
          journals_known_ =
              searched_ || env_.clock.monotonic_ms() - first_search_ms_ >= kKeepJournalsMs;
          live.edit_shared().spool_searched = 1;
        });
        env_.wakeup.wake_all();
        if (whole || unread_.empty()) {
          search_catalog();
        }
      });
}

// What a disk did not let us look at is not gone: it is looked for until it is there, or is known
// not to be. Said once.
void Housekeeper::search_again(const std::map<std::string, std::string>& unread) {
  std::set<std::string> names;
  for (const auto& [name, why] : unread) {
    if (unread_.count(name) == 0) {
      const std::string path = name == kSpoolItself ? env_.spool : spool_path(env_.spool, name);
      env_.log.write(LogLevel::kCrit, path + " cannot be read, and is tried again: " + why);
    }
    names.insert(name);
  }
  unread_ = std::move(names);
  if (!unread_.empty()) {
    searched_ = false;
    search_not_before_ms_ = env_.clock.monotonic_ms() + kSearchAgainMs;
    if (unread_.count(kSpoolItself) == 0) {
      search_only_.assign(unread_.begin(), unread_.end());
    }
  }
}

// Rows whose recording is in neither the live state nor the spool: its file is in the storage
// already, or nothing of it was ever saved, and the power failed before the catalogue was told.
void Housekeeper::search_catalog() {
  env_.catalog.read(find_pending, [this](Result<PendingRows> found) {
    if (!found) {
      searched_ = false;  // the next tick looks again
      search_only_.clear();
      return;
    }
    for (mp4::Identity& identity : found.value().recordings) {
      if (unread_.count(identity.slug) != 0) {
        continue;
      }
      LeftInSpool left;
      left.identity = std::move(identity);
      left.in_spool = false;
      welcome(std::move(left));
    }
    for (catalog::VideoRow& row : found.value().without_stream) {
      if (unread_.count(row.slug) == 0) {
        settle_without_stream(std::move(row));
      }
    }
  });
}

// Nobody knows any more where its file would be.
void Housekeeper::settle_without_stream(catalog::VideoRow row) {
  bool known = true;
  const bool looked = env_.changes.make_now([&](LiveState::Transaction& live) {
    known = live.find_recording_by_slug(row.slug) != runtime::kNone;
  });
  if (!looked) {
    searched_ = false;
    search_only_.clear();
  }
  if (known) {
    return;
  }
  row.status = "error";
  row.error = "stream_deleted";
  env_.log.write(LogLevel::kError,
                 "recording " + row.slug + ": its stream was deleted before its outcome was known");
  env_.events.emit("recording.discarded", {"", "", row.stream_id},
                   {{"recording_id", row.slug}, {"video_id", row.id}, {"reason", row.error}});
  env_.catalog.write(
      [row = std::move(row)](catalog::Catalog& catalog) -> Status {
        auto now = catalog.video_by_slug(row.slug);
        if (!now) {
          return std::move(now).error();
        }
        return now.value().status == "pending" ? catalog.put_video(row) : ok();
      },
      [](Status) {});  // a row that stays pending is found at the next start
}

void Housekeeper::welcome(LeftInSpool left) {
  const bool published = runtime::OwnerLock::is_held(
      runtime::stream_lock_path(env_.runtime_directory, left.identity.app, left.identity.stream));
  env_.changes.make([this, published, left = std::move(left)](LiveState::Transaction& live) {
    const mp4::Identity& identity = left.identity;
    if (live.find_recording_by_slug(identity.slug) != runtime::kNone) {
      return;
    }
    auto stream = live.ensure_stream(identity.app, identity.stream);
    auto index = stream ? live.add_recording() : Result<std::int32_t>(stream.error());
    if (!index) {
      env_.log.write(LogLevel::kError, "recording " + identity.slug +
                                           " in the spool has to wait: " + index.error().message);
      searched_ = false;
      search_only_.clear();
      return;
    }
    RecordingRecord& record = live.edit_recording(index.value());
    record.state = RecordingState::kInterrupted;
    record.automatic = identity.automatic ? 1 : 0;
    record.stream = stream.value();
    record.video_id = identity.video_id != 0 ? identity.video_id : live.take_video_id();
    record.stream_id = identity.stream_id;
    record.slug.assign(identity.slug);
    record.transaction_id.assign(identity.transaction_id);
    record.sequence = identity.sequence;
    record.recorded = recorded_of(identity.record_type);
    record.started_wall_ms = identity.started_wall_ms;
    record.codec = left.codec;
    record.session = left.session;  // so that its journal is kept until it has been added
    record.interrupted_ms = env_.clock.monotonic_ms() - left.silent_ms;
    record.rules.reconnect_window_ms = identity.reconnect_window_ms;
    record.rules.min_duration_ms = identity.min_duration_ms;
    record.rules.max_duration_ms = identity.max_duration_ms;
    record.end_reason.assign("restart");
    record.committed_bytes.set(static_cast<std::int64_t>(left.length));
    record.duration_ms.set(left.duration_ms);
    if (has_later_part(live, record)) {
      record.state = RecordingState::kEnding;
      record.end_reason.assign("divided");
    }
    StreamRecord& owner = live.edit_stream(stream.value());
    // The encoder may be back already, and what it sends be in a tentative recording.
    const RecordingRecord* young = live.recording(owner.recording);
    const bool its_own = young != nullptr && young->tentative != 0 && published &&
                         owner.session.recorded_id == young->session;
    const bool free = record.state == RecordingState::kInterrupted && left.in_spool &&
                      owner.stopped == 0 && (young == nullptr || its_own);
    const std::int64_t back_ms =
        young != nullptr ? young->interrupted_ms : env_.clock.monotonic_ms();
    if (free && back_ms - record.interrupted_ms < identity.reconnect_window_ms) {
      if (young != nullptr) {
        withdraw(live, owner.recording);
      }
      owner.recording = index.value();
      owner.wanted = identity.automatic ? 0 : 1;
    }
    env_.log.write(LogLevel::kNotice,
                   "recording " + identity.slug + " of " + to_valid_utf8(identity.app) + "/" +
                       to_valid_utf8(identity.stream) +
                       (left.in_spool ? " was found in the spool"
                                      : " was found in the catalogue, without its outcome"));
  });
}

}  // namespace recording::recorder
