#include "recorder/session.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/strings.hpp"
#include "recorder/control.hpp"
#include "recorder/events.hpp"
#include "recorder/left_session.hpp"
#include "recorder/live_change.hpp"
#include "recorder/stream_settings.hpp"

namespace recording::recorder {
namespace {

using runtime::LiveState;
using runtime::RecordingRecord;
using runtime::RecordingState;
using runtime::StreamRecord;

constexpr std::int64_t kAskAgainMs = 1000;
// A catalogue that has not answered for so long is as good as away.
constexpr std::int64_t kLongestAskMs = 2000;

std::uint64_t new_run_id() {
  std::uint64_t id = 0;
  while (id == 0) {
    id = random_u64();
  }
  return id;
}

std::size_t most_segments(const runtime::RecordingRules& rules) {
  return std::max<std::size_t>(static_cast<std::size_t>(rules.buffer_bytes) / runtime::kSegmentSize,
                               4);
}

}  // namespace

Run::Run(SegmentPool& segments, const runtime::RecordingRules& rules)
    : id(new_run_id()),
      tracks{TrackIntake(media::TrackKind::kVideo, clock),
             TrackIntake(media::TrackKind::kAudio, clock)},
      gatherer(segments, id, rules.fragment_ms, most_segments(rules)) {}

Session::Session(Environment& environment, Publisher publisher,
                 std::optional<runtime::OwnerLock> lock,
                 std::function<void(std::shared_ptr<Recording>)> keep)
    : env_(environment),
      publisher_(std::move(publisher)),
      lock_(std::move(lock)),
      keep_(std::move(keep)),
      run_(std::make_unique<Run>(environment.segments, publisher_.rules)),
      id_(run_->id),
      rendition_over_(publisher_.rules.transcoded == 0),
      rendition_error_(rendition_over_ ? "nginx.conf has no \"transcoder on\" for this application"
                                       : ""),
      last_message_ms_(environment.clock.monotonic_ms()),
      last_media_ms_(last_message_ms_) {}

void Session::declare_frame_rate(double frames_per_second) {
  source().tracks[0].declare_frame_rate(frames_per_second);
  // What an encoder declares may be anything, not a number included.
  const bool plausible = frames_per_second > 0 && frames_per_second < 100000;
  declared_rate_milli_ = plausible ? static_cast<std::uint32_t>(frames_per_second * 1000 + 0.5) : 0;
  facts_changed_ = true;
}

Session::~Session() { *alive_ = false; }

bool Session::try_lock() {
  if (!lock_) {
    auto taken = runtime::OwnerLock::try_acquire(
        runtime::stream_lock_path(env_.runtime_directory, publisher_.app, publisher_.name));
    if (taken) {
      lock_ = std::move(taken).value();
    }
  }
  return lock_.has_value();
}

std::int64_t Session::silent_ms() const { return env_.clock.monotonic_ms() - last_message_ms_; }

void Session::drain(std::int64_t since_ms) {
  if (publisher_.rules.drain_timeout_ms > 0 && publisher_.disconnect &&
      env_.clock.monotonic_ms() - since_ms >= publisher_.rules.drain_timeout_ms) {
    leaves_because_ = "drained";
    publisher_.disconnect();
  }
}

Status Session::open() {
  if (!try_lock()) {
    return ok();  // look() tries again
  }
  auto begun = env_.state.begin();
  if (!begun) {
    return std::move(begun).error();
  }
  std::optional<LeftSession> left;
  {
    LiveState::Transaction live = std::move(begun).value();
    auto index = live.ensure_stream(publisher_.app, publisher_.name);
    if (!index) {
      return std::move(index).error();
    }
    stream_ = index.value();
    // We have the stream's lock: whoever had it is dead. Before our own first message moves the
    // gauge that says when the last one came.
    left = take_left_session(live, stream_, env_.clock);
    StreamRecord& stream = live.edit_stream(stream_);
    begun_.id = id_;
    begun_.started_at = env_.clock.wall_ms();
    stream.playback = {};
    stream.session.id = stream.session.recorded_id = id_;
    stream.session.pid = static_cast<std::int32_t>(::getpid());
    stream.session.started_wall_ms = begun_.started_at;
    stream.rules = publisher_.rules;
    stream.stopped = 0;
    stream.replaced = 0;
    fence_ = ++stream.fence;
    stream_id_ = stream.settings_known != 0 ? stream.stream_id : 0;
  }
  if (left) {
    tell_left_session(env_, *left);
  }
  keep_begun();
  runtime::StreamRecord* gauges = env_.state.stream_gauges(stream_);
  gauges->last_message_ms.set(last_message_ms_);
  gauges->bytes_in.set(bytes_in_);
  gauges->messages_in.set(messages_in_);
  gauges->timestamp_repairs.set(timestamp_repairs_);
  env_.events.emit("stream.started", event_stream(), {});
  look();
  return ok();
}

// Without the stream's id ask_settings() does it.
void Session::keep_begun() {
  if (stream_id_ != 0) {
    begun_.stream_id = stream_id_;
    env_.catalog.write(
        [begun = begun_](catalog::Catalog& catalog) { return catalog.begin_session(begun); },
        [](Status) {});
  }
}

void Session::ask_settings() {
  const std::int64_t now = env_.clock.monotonic_ms();
  if (asking_ || now < ask_again_ms_) {
    return;
  }
  asking_ = true;
  asked_ms_ = now;
  learn_settings(env_, stream_, publisher_.app, publisher_.name, begun_,
                 [this, alive = alive_](Result<std::int64_t> stream_id) {
                   if (!*alive) {
                     return;
                   }
                   asking_ = false;
                   if (stream_id) {
                     stream_id_ = stream_id.value();
                   } else {
                     if (ask_again_ms_ == 0) {
                       env_.log.write(LogLevel::kError,
                                      "settings of " + to_valid_utf8(publisher_.app) + "/" +
                                          to_valid_utf8(publisher_.name) + " are not known (" +
                                          stream_id.error().message +
                                          "): until they are, the application's auto_record is "
                                          "used, and the source is recorded");
                     }
                     settings_failed();
                   }
                   look();
                 });
}

void Session::settings_failed() { ask_again_ms_ = env_.clock.monotonic_ms() + kAskAgainMs; }

void Session::look() {
  if (stream_ == runtime::kNone) {
    if (Status opened = open(); !opened) {
      env_.log.write(LogLevel::kError, to_valid_utf8(publisher_.app) + "/" +
                                           to_valid_utf8(publisher_.name) +
                                           " cannot be recorded: " + opened.error().message);
    }
    return;  // open() looks when it has succeeded
  }
  bool known = false, replaced = false, ending = false, withdrawn = false;
  const bool looked = env_.changes.make_now([&](LiveState::Transaction& live) {
    settle_tentative(live, env_.clock, stream_, ask_again_ms_ != 0);
    const StreamRecord* stream = live.stream(stream_);
    if (stream == nullptr || stream->session.id != id_) {
      return;
    }
    choose_recorded(live);
    known = stream->settings_known != 0;
    replaced = stream->replaced == id_;
    if (recording_ != nullptr) {
      // Ended by somebody, or given up by its holder; its place may be another recording's by now.
      const RecordingRecord* record = live.recording(recording_->index());
      ending = record == nullptr || record->slug.view() != recording_->identity().slug ||
               record->state == RecordingState::kEnding ||
               record->state == RecordingState::kSettled;
      withdrawn = ending && record != nullptr && is_withdrawn(*record);
    }
  });
  if (!looked) {
    return;  // the next tick looks again
  }
  if (replaced && publisher_.disconnect) {
    leaves_because_ = "replaced";
    publisher_.disconnect();
    return;
  }
  if (fell_silent_) {
    return;  // the next message decides
  }
  if (withdrawn) {
    take_back();
  } else if (ending) {
    batch_ready(run_->gatherer.cut(run_->tracks, std::nullopt, 0));
    stop_recording(next_ordinals());
  }
  if (recorded_ == runtime::Recorded::kRendition && !takes_rendition()) {
    take_rendition();
  }
  if (!known) {
    ask_settings();
  }
  if (recording_ != nullptr) {
    recording_->tick();
  }
  decide();
}

void Session::tick() {
  write_gauges();
  if (asking_ && ask_again_ms_ == 0 && env_.clock.monotonic_ms() - asked_ms_ >= kLongestAskMs) {
    settings_failed();
  }
  // A publisher that fell silent must not keep what it sent from the file.
  const Batch* gathering = run_->gatherer.gathering();
  if (mode_ == Mode::kRecording && gathering != nullptr && !gathering->empty() &&
      env_.clock.monotonic_ms() - gathering->arrived_ms > 2 * publisher_.rules.fragment_ms) {
    batch_ready(run_->gatherer.cut(run_->tracks, std::nullopt, 0));
  }
  if (mode_ == Mode::kRecording && publisher_.rules.reconnect_window_ms > 0 &&
      env_.clock.monotonic_ms() - last_media_ms_ >= publisher_.rules.reconnect_window_ms) {
    end_silent();
  }
  if (!fell_silent_) {
    look();
  }
}

void Session::publish_facts() {
  if (stream_ == runtime::kNone) {
    return;
  }
  facts_changed_ = false;
  auto begun = env_.state.begin();
  if (!begun) {
    facts_changed_ = true;
    return;
  }
  LiveState::Transaction live = std::move(begun).value();
  if (live.stream(stream_) == nullptr) {
    return;
  }
  runtime::SessionInfo& session = live.edit_stream(stream_).session;
  session.frame_rate_milli = declared_rate_milli_;
  if (const ConfigRef& video = source().tracks[0].config(); video != nullptr) {
    session.video_codec = static_cast<std::uint8_t>(video->codec);
    session.width = video->source.width;
    session.height = video->source.height;
    if (session.frame_rate_milli == 0 && video->default_duration != 0) {
      session.frame_rate_milli = media::kVideoTimescale * 1000 / video->default_duration;
    }
  }
  if (const ConfigRef& audio = source().tracks[1].config(); audio != nullptr) {
    session.audio_codec = static_cast<std::uint8_t>(audio->codec);
    session.sample_rate = audio->source.sample_rate;
    session.channels = audio->source.channels;
  }
  session.unrecordable =
      unrecordable_noted_ && session.video_codec == 0 && session.audio_codec == 0;
}

}  // namespace recording::recorder
