// The program of a live session, from the folder that it writes to, to what it says when it ends.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/strings.hpp"
#include "transcode/ffmpeg_command.hpp"
#include "transcode/ladder.hpp"
#include "transcode/live_session.hpp"
#include "transcode/master_playlist.hpp"

namespace recording::transcode {
namespace {

// So many lines of the program go to nginx's log in this time; it may write one for each frame.
constexpr int kMostLines = 10;
constexpr std::int64_t kLinesMs = 10000;

}  // namespace

void LiveSession::look() {
  // What the run before has made must be known to all before another one follows it.
  if (starting_ || (program_ == nullptr && (checking_ || (sink_ != nullptr && !sink_->wanted())))) {
    return;
  }
  switch (supervisor_.next(env_.clock.monotonic_ms())) {
    case Supervisor::Act::kStart:
      start();
      break;
    case Supervisor::Act::kEnd:
      end_program("it made nothing any more of what it was sent");
      break;
    case Supervisor::Act::kNothing:
      break;
  }
}

void LiveSession::start() {
  if (!lock_) {
    run_.session = new_session_name(env_.clock.wall_ms());
    auto lock =
        runtime::OwnerLock::try_acquire(session_lock_path(env_.runtime_directory, run_.session));
    if (!lock) {
      return run_folder_made(std::move(lock).error());
    }
    lock_ = std::move(lock).value();
  }
  run_.run = run_name(runs_++);
  starting_ = true;
  const bool posted = post(
      env_.files,
      [folder = folder_, run = run_, first = !shown_] {
        return make_run_folder(folder, run, first);
      },
      [this, alive = alive_](Status made) {
        if (*alive) {
          run_folder_made(std::move(made));
        }
      });
  if (!posted) {
    run_folder_made(Error{Errc::kUnavailable, "too much file work is waiting"});
  }
}

void LiveSession::run_folder_made(Status made) {
  starting_ = false;
  const std::int64_t now = env_.clock.monotonic_ms();
  Result<std::unique_ptr<Program>> started = std::unique_ptr<Program>();
  if (made) {
    shown_ = true;
    if (left_ || supervisor_.over()) {
      supervisor_.finish(now);
      finished();
      return publish_state();
    }
    const bool tapped = sink_ != nullptr && sink_->wanted().value_or(false);
    std::vector<std::string> command =
        ffmpeg_arguments(probe_.frozen(), settings_, run_folder(), copying_,
                         tapped ? Tap::kBest : Tap::kNone, feed_.container());
    command.insert(command.begin(), settings_.command);
    Program::Handlers handlers;
    handlers.writable = [this] {
      blocked_ = false;
      pump();
    };
    handlers.progressed = [this](const ProgramReport& report) { take_progress(report); };
    handlers.said = [this](std::string_view line) { take_line(line); };
    handlers.ended = [this](const ProgramEnd& end) { program_ended(end); };
    if (tapped) {
      handlers.made = [this](ByteView piece) { take_made(piece); };
      made_ = {};
    }
    started = Program::start(env_.events, env_.launcher, command, std::move(handlers));
  } else {
    started = std::move(made).error();
  }
  if (!started) {
    last_line_ = started.error().message;
    return program_ended({});
  }
  const Ladder ladder = ladder_of(probe_.frozen(), settings_, copying_);
  playlists_ = static_cast<int>(ladder.videos.size() + ladder.audios.size());
  program_ = std::move(started).value();
  blocked_ = published_ = false;
  last_line_.clear();
  supervisor_.started(now);
  feed_.open(tracks(),
             {intake_.config(media::TrackKind::kVideo), intake_.config(media::TrackKind::kAudio)});
  publish_state();
  pump();
}

void LiveSession::check_playlists() {
  if (published_ || checking_ || playlists_ == 0) {
    return;
  }
  checking_ = true;
  checked_ms_ = env_.clock.monotonic_ms();
  const bool posted = post(
      env_.files,
      [folder = folder_, run = run_, count = playlists_,
       text = master_playlist(probe_.frozen(), settings_, measurement_.read(intake_).video_bps,
                              copying_)] { return publish_master(folder, run, count, text); },
      [this, alive = alive_](Status done) {
        if (!*alive) {
          return;
        }
        checking_ = false;
        published_ = static_cast<bool>(done);
        publish_state();
        if (!done && done.error().code != Errc::kNotFound && program_ != nullptr) {
          end_program("what it makes cannot be played: " + done.error().message);
        }
      });
  if (!posted) {
    checking_ = false;
  }
}

void LiveSession::check_output() {
  if (checking_ || program_ == nullptr) {
    return;
  }
  checking_ = true;
  output_checked_ms_ = env_.clock.monotonic_ms();
  const bool posted = post(
      env_.files,
      [folder = run_folder(), count = playlists_] {
        return transcode::check_output(folder, count);
      },
      [this, alive = alive_](Status done) {
        if (!*alive) {
          return;
        }
        checking_ = false;
        if (!done && program_ != nullptr) {
          end_program("what it makes cannot be written: " + done.error().message);
        }
      });
  if (!posted) {
    checking_ = false;
  }
}

// It is of no use any more; when it has ended, another one is started.
void LiveSession::end_program(std::string why) {
  broken_ = std::move(why);
  program_->end();
}

void LiveSession::take_progress(const ProgramReport& report) {
  record_.set_speed(
      static_cast<std::uint32_t>(std::lround(std::clamp(report.speed, 0.0, 1000.0) * 1000)));
  if (supervisor_.progressed(env_.clock.monotonic_ms(), report.media_us)) {
    env_.observer.started(*this);
    publish_state();
  }
}

void LiveSession::take_line(std::string_view line) {
  const std::int64_t now = env_.clock.monotonic_ms();
  last_line_ = to_valid_utf8(line);
  if (now - lines_since_ms_ >= kLinesMs) {
    if (lines_left_out_ > 0) {
      env_.log.write(LogLevel::kWarn, title() + ": " + std::to_string(lines_left_out_) +
                                          " more lines of " + program_name());
    }
    lines_since_ms_ = now;
    lines_ = lines_left_out_ = 0;
  }
  if (lines_ < kMostLines) {
    ++lines_;
    env_.log.write(LogLevel::kWarn, title() + ": " + program_name() + ": " + last_line_);
  } else {
    ++lines_left_out_;
  }
}

// Whoever takes it must take it all at once: the program waits for this pipe.
void LiveSession::take_made(ByteView piece) {
  if (sink_ != nullptr && !made_.add(piece, [this](const auto& tag) { hand_over(tag); }) &&
      broken_.empty()) {
    end_program("what it makes for the recording is not FLV");
  }
}

void LiveSession::hand_over(const FlvTagReader::Tag& tag) {
  if (tag.type == FlvTagReader::kScript) {
    const auto metadata = media::parse_metadata(tag.body);
    if (metadata && metadata->frame_rate) {
      sink_->declare_frame_rate(*metadata->frame_rate);
    }
    return;
  }
  const iovec body{const_cast<std::uint8_t*>(tag.body.data()), tag.body.size()};
  sink_->take(
      tag.type == FlvTagReader::kVideo ? media::TrackKind::kVideo : media::TrackKind::kAudio,
      tag.timestamp_ms, {&body, 1});
}

void LiveSession::program_ended(const ProgramEnd& end) {
  const std::int64_t now = env_.clock.monotonic_ms();
  const bool started = program_ != nullptr;
  program_.reset();
  feed_.close();
  record_.set_speed(0);
  std::string why = started ? describe(end, end.how == ProgramEnd::How::kFailed ? settings_.command
                                                                                : program_name())
                            : std::string();
  if (const std::string& more = broken_.empty() ? last_line_ : broken_; !more.empty()) {
    why += (why.empty() ? "" : ": ") + more;
  }
  broken_.clear();
  const bool expected = supervisor_.renewing() || supervisor_.over();
  supervisor_.ended(now, end, why);
  if (started && !published_ && left_) {
    check_playlists();  // of a stream as short as this they are there only now
  }
  if (started && !end.clean()) {
    (void)post(
        env_.files,
        [folder = run_folder(), count = playlists_] { return end_playlists(folder, count); },
        [](Status) {});
  }
  if (supervisor_.state() == TranscoderState::kRestarting) {
    env_.log.write(LogLevel::kWarn, title() + " is started again: " + why);
  }
  publish_state();
  if (!expected && supervisor_.state() == TranscoderState::kFailed) {
    failed();
  } else if (supervisor_.over()) {
    finished();
  } else if (sink_ != nullptr && started) {
    sink_->interrupted();
  }
  look();
}

}  // namespace recording::transcode
