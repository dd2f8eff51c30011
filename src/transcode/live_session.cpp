#include "transcode/live_session.hpp"

#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "transcode/ladder.hpp"

namespace recording::transcode {
namespace {

// How often it is looked whether the first playlists are there.
constexpr std::int64_t kCheckMs = 100;
// And that what is made can still be written.
constexpr std::int64_t kCheckOutputMs = 5000;
constexpr std::int64_t kMeasureMs = 500;

}  // namespace

std::string session_lock_path(const std::string& runtime_directory, std::string_view session) {
  return runtime_directory + "/live-" + std::string(session) + ".lock";
}

LiveSession::LiveSession(LiveEnvironment& environment, std::string app, std::string name,
                         std::uint64_t session, TranscoderSettings settings,
                         std::unique_ptr<RenditionSink> sink)
    : env_(environment),
      app_(std::move(app)),
      name_(std::move(name)),
      settings_(std::move(settings)),
      folder_(stream_folder(settings_.path, app_, name_)),
      record_(environment.state, app_, name_, session),
      supervisor_(settings_.restarts),
      sink_(std::move(sink)) {
  publish_state();
}

LiveSession::~LiveSession() { *alive_ = false; }

std::string LiveSession::title() const {
  return "live " + to_valid_utf8(app_) + "/" + to_valid_utf8(name_);
}

std::string LiveSession::program_name() const {
  return settings_.command.substr(settings_.command.rfind('/') + 1);
}

// What others may read of the session.
void LiveSession::publish_state() {
  const TranscoderState state = supervisor_.state();
  // Links lead nowhere before there are playlists.
  const bool too_early = state == TranscoderState::kRunning && !published_;
  record_.set_state(too_early ? TranscoderState::kStarting : state, supervisor_.error());
  record_.set_restarts(supervisor_.restarts());
  record_.flush();
}

void LiveSession::measure() {
  const Measured measured = measurement_.read(intake_);
  if (probe_.state() == SourceProbe::State::kReady &&
      drift_.look(probe_.frozen(), measured, measured_ms_)) {
    env_.observer.drifted(*this, drifts_of(probe_.frozen(), measured, drift_.fields()));
  }
  record_.set_measured(measured, drift_.fields());
  record_.flush();
}

void LiveSession::on_message(media::TrackKind kind, std::uint32_t timestamp_ms,
                             media::Pieces message) {
  const std::int64_t now = env_.clock.monotonic_ms();
  const SourceMessage taken = intake_.take(kind, timestamp_ms, now, message);
  measurement_.take(taken);
  if (now - measured_ms_ >= kMeasureMs) {
    measured_ms_ = now;
    measure();
  }
  if (supervisor_.over()) {
    return;
  }
  if (taken.config_changed) {
    follow_change(kind, now);
  }
  feed_.add(taken, message);
  if (probe_.state() == SourceProbe::State::kProbing) {
    probe(taken, now);
  }
  if (program_ == nullptr) {
    return look();
  }
  if (taken.decodable) {
    supervisor_.offered(now);
  }
  if (!blocked_) {
    pump();
  }
  if (!published_ && now - checked_ms_ >= kCheckMs) {
    check_playlists();
  }
}

void LiveSession::probe(const SourceMessage& taken, std::int64_t now_ms) {
  switch (probe_.take(taken, intake_, now_ms)) {
    case SourceProbe::State::kProbing:
      break;
    case SourceProbe::State::kReady:
      supervisor_.begin(now_ms);
      record_.set_source(probe_.frozen(), ladder_of(probe_.frozen(), settings_));
      publish_state();
      look();
      break;
    case SourceProbe::State::kRefused:
      supervisor_.refuse(probe_.refusal());
      failed();
      break;
  }
}

// Refused or given up: there is nothing to play for the rest of the session.
void LiveSession::failed() {
  const bool refused = supervisor_.state() == TranscoderState::kRefused;
  env_.log.write(
      refused ? LogLevel::kWarn : LogLevel::kError,
      title() + (refused ? " is not transcoded: " : " is given up: ") + supervisor_.error());
  feed_ = {};
  publish_state();
  env_.observer.failed(*this);
  finished();
}

// Nothing more is made.
void LiveSession::finished() {
  lock_.reset();
  if (const auto sink = std::move(sink_); sink != nullptr) {
    sink->over(supervisor_.error());
  }
}

FlvTracks LiveSession::tracks() const {
  const FrozenSource& frozen = probe_.frozen();
  const Measured measured = measurement_.read(intake_);
  FlvTracks tracks;
  if (frozen.video) {
    const std::int64_t said = frozen.video->bps.value;
    tracks.video = true;
    tracks.video_bps = said > 0 ? said : measured.video_bps;
    tracks.frame_rate = frozen.video->frame_rate.value.per_second();
  }
  if (frozen.audio) {
    const std::int64_t said = frozen.audio->bps.value;
    tracks.audio = true;
    tracks.audio_bps = said > 0 ? said : measured.audio_bps;
  }
  return tracks;
}

// Into the pipe what goes; the rest when its reader has read.
void LiveSession::pump() {
  if (program_ == nullptr || program_->input() < 0) {
    return;
  }
  switch (feed_.write(program_->input())) {
    case Feed::Wrote::kBlocked:
      blocked_ = true;
      program_->wait_writable();
      break;
    case Feed::Wrote::kBroken:
      program_->close_input();  // it has ended or does so: ended() tells
      break;
    case Feed::Wrote::kAll:
      if (left_) {
        program_->close_input();
      }
      break;
  }
  note_dropped();
}

void LiveSession::note_dropped() {
  const std::uint64_t groups = feed_.dropped().groups;
  if (program_ == nullptr || groups == noted_groups_) {
    return;
  }
  if (noted_groups_ == 0) {
    env_.log.write(LogLevel::kWarn,
                   title() + ": " + program_name() +
                       " is too slow: groups of pictures are left out of live playback; use fewer "
                       "or smaller transcoder_rendition, or a faster machine");
  }
  env_.state.metrics().live_dropped.add(groups - noted_groups_);
  record_.set_dropped(groups);
  noted_groups_ = groups;
}

// What is encoded stays as it was frozen, whatever comes. A copied track would become another one
// than its players were told, and decode to garbage: the program that copies ends with what came
// before, and from now on nothing is copied. So does one that cannot read what comes now.
void LiveSession::follow_change(media::TrackKind kind, std::int64_t now_ms) {
  if (probe_.state() != SourceProbe::State::kReady) {
    return;
  }
  const bool copies_end = copying_ == Copying::kAllowed && !copies_as_frozen();
  if (copies_end) {
    copying_ = Copying::kForbidden;
    env_.log.write(LogLevel::kNotice,
                   title() + ": the source has changed: all renditions are encoded from now on");
    record_.set_source(probe_.frozen(), ladder_of(probe_.frozen(), settings_, copying_));
  }
  if (program_ != nullptr && (copies_end || !feed_.fits(kind, *intake_.config(kind)))) {
    pump();
    feed_.close();
    program_->close_input();
    supervisor_.renew(now_ms);
  }
}

bool LiveSession::copies_as_frozen() const {
  const FrozenSource& frozen = probe_.frozen();
  const Ladder ladder = ladder_of(frozen, settings_);
  const auto copied = [](const auto& track) { return track.copy; };
  const bool pictures = std::any_of(ladder.videos.begin(), ladder.videos.end(), copied);
  const bool sound = std::any_of(ladder.audios.begin(), ladder.audios.end(), copied);
  return is_as_frozen(frozen, pictures ? intake_.config(media::TrackKind::kVideo) : nullptr,
                      sound ? intake_.config(media::TrackKind::kAudio) : nullptr);
}

void LiveSession::end() {
  left_ = true;
  if (const Feed::Dropped& dropped = feed_.dropped(); dropped.groups > 0) {
    env_.log.write(LogLevel::kNotice,
                   title() + ": " + std::to_string(dropped.groups) + " groups of pictures (" +
                       std::to_string(dropped.messages) + " messages) were left out");
  }
  supervisor_.finish(env_.clock.monotonic_ms());
  if (!blocked_) {
    pump();
  }
  publish_state();
  if (supervisor_.over()) {
    finished();
  }
}

void LiveSession::tick() {
  look();
  if (program_ == nullptr) {
    return;
  }
  if (env_.clock.monotonic_ms() - output_checked_ms_ >= kCheckOutputMs) {
    check_output();
  } else if (!published_) {
    check_playlists();
  }
}

bool LiveSession::over() const { return left_ && !starting_ && !checking_ && program_ == nullptr; }

}  // namespace recording::transcode
