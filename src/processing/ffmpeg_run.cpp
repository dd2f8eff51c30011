#include "processing/ffmpeg_run.hpp"

#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace recording::processing {
namespace {

constexpr std::size_t kPiece = 256 * 1024;
// The launcher's line comes behind the program's output and is never longer.
constexpr std::size_t kHeldBack = 64;
constexpr int kLookMs = 200;  // how long a cancellation may go unnoticed

std::int64_t now_ms() {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

sigset_t broken_pipe() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}

}  // namespace

NoBrokenPipes::NoBrokenPipes() {
  const sigset_t set = broken_pipe();
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &set, &before);
  was_blocked_ = ::sigismember(&before, SIGPIPE) == 1;
}

NoBrokenPipes::~NoBrokenPipes() {
  if (!was_blocked_) {
    const sigset_t set = broken_pipe();
    const struct timespec at_once {};
    while (::sigtimedwait(&set, nullptr, &at_once) > 0) {
    }
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }
}

FfmpegRun::FfmpegRun(const Tools& tools, process::LaunchedProgram pipes,
                     std::unique_ptr<ByteSource> input)
    : tools_(tools), pipes_(std::move(pipes)), input_(std::move(input)) {
  if (input_ == nullptr) {
    pipes_.input.reset();
  }
}

Result<std::unique_ptr<FfmpegRun>> FfmpegRun::start(const Tools& tools,
                                                    std::vector<std::string> arguments,
                                                    std::unique_ptr<ByteSource> input) {
  arguments.insert(arguments.begin(), tools.ffmpeg);
  auto pipes = process::launch(tools.launcher, arguments);
  if (!pipes) {
    return std::move(pipes).error();
  }
  return std::unique_ptr<FfmpegRun>(
      new FfmpegRun(tools, std::move(pipes).value(), std::move(input)));
}

Result<ByteView> FfmpegRun::read() {
  output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(given_));
  given_ = 0;
  while (pipes_.output.valid() && output_.size() <= kHeldBack) {
    auto moved = wait();
    if (!moved) {
      return std::move(moved).error();
    }
  }
  given_ = pipes_.output.valid() ? output_.size() - kHeldBack : output_.size();
  return ByteView(output_).first(given_);
}

// Until something has moved.
Result<bool> FfmpegRun::wait() {
  for (const std::int64_t since = now_ms();;) {
    std::array<struct pollfd, 3> watched = {{{pipes_.input.get(), POLLOUT, 0},
                                             {pipes_.output.get(), POLLIN, 0},
                                             {pipes_.errors.get(), POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), kLookMs) < 0 && errno != EINTR) {
      return Error{Errc::kInternal, "poll", errno};
    }
    if (tools_.cancelled()) {
      return Error{Errc::kUnavailable, "cancelled"};
    }
    if (watched[2].revents != 0) {
      take_errors();
    }
    if (watched[0].revents != 0) {
      RECORDING_TRY(feed());
    }
    if (watched[1].revents != 0 && !take_output()) {
      take_end();
    }
    if (watched[0].revents != 0 || watched[1].revents != 0 || watched[2].revents != 0) {
      return true;
    }
    if (now_ms() - since >= tools_.patience_ms) {
      pipes_.lifeline.reset();
      // Of this recording, perhaps: it is not tried for ever.
      return Error{Errc::kInternal, "ffmpeg did nothing for " +
                                        std::to_string(tools_.patience_ms / 1000) + " s" +
                                        (first_error_.empty() ? "" : ": " + first_error_)};
    }
  }
}

Status FfmpegRun::feed() {
  if (piece_at_ == piece_.size()) {
    piece_.resize(kPiece);
    piece_at_ = 0;
    auto size = input_->read(piece_);
    if (!size) {
      return std::move(size).error();
    }
    piece_.resize(size.value());
    if (piece_.empty()) {
      pipes_.input.reset();
      return ok();
    }
  }
  const ssize_t size =
      ::write(pipes_.input.get(), piece_.data() + piece_at_, piece_.size() - piece_at_);
  if (size > 0) {
    piece_at_ += static_cast<std::size_t>(size);
  } else if (errno != EAGAIN && errno != EINTR) {
    pipes_.input.reset();  // it wants no more, and says why if that is wrong
  }
  return ok();
}

// False: that was all.
bool FfmpegRun::take_output() {
  const std::size_t before = output_.size();
  output_.resize(before + kPiece);
  const ssize_t size = ::read(pipes_.output.get(), output_.data() + before, kPiece);
  output_.resize(before + static_cast<std::size_t>(size > 0 ? size : 0));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

void FfmpegRun::take_errors() {
  std::array<char, 4096> piece;
  const ssize_t size = ::read(pipes_.errors.get(), piece.data(), piece.size());
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
    pipes_.errors.reset();
  }
  if (size > 0) {
    errors_.add({piece.data(), static_cast<std::size_t>(size)},
                [this](std::string_view line) { take_error(line); });
  }
}

// "[h264 @ 0x55c0c8a3a0c0] Invalid NAL unit size": the number says nothing to anybody.
void FfmpegRun::take_error(std::string_view line) {
  if (!first_error_.empty()) {
    return;
  }
  const std::size_t at = line.find(" @ 0x"), end = line.find(']', at);
  first_error_ = line;
  if (line.starts_with('[') && at != line.npos && end != line.npos) {
    first_error_.erase(at, end - at);
  }
}

// Behind the output are the launcher's lines: "\nlauncher=exited 0\n", of a program that could not
// be run two.
void FfmpegRun::take_end() {
  pipes_.output.reset();
  struct pollfd errors = {pipes_.errors.get(), POLLIN, 0};
  while (pipes_.errors.valid() && ::poll(&errors, 1, kLookMs) > 0) {
    take_errors();
  }
  const std::string_view all(reinterpret_cast<const char*>(output_.data()), output_.size());
  const std::size_t at =
      all.find("\nlauncher=", all.size() - std::min<std::size_t>(all.size(), kHeldBack));
  if (at == std::string_view::npos) {
    return;
  }
  transcode::ProgramReport report;
  transcode::Lines lines;
  lines.add(all.substr(at), [&report](std::string_view line) { report.take(line); });
  end_ = report.end.value_or(transcode::ProgramEnd{});
  output_.resize(at);
}

Status FfmpegRun::end() const {
  if (end_.clean()) {
    return ok();
  }
  const bool failed = end_.how == transcode::ProgramEnd::How::kFailed;
  const bool killed = end_.how == transcode::ProgramEnd::How::kUnknown ||
                      (end_.how == transcode::ProgramEnd::How::kSignal &&
                       (end_.number == SIGKILL || end_.number == SIGTERM));
  const std::string what = transcode::describe(end_, tools_.ffmpeg);
  // What is no fault of the media may go well another time.
  return Error{failed || killed ? Errc::kUnavailable : Errc::kCorrupt,
               first_error_.empty() || failed ? what : first_error_ + " (" + what + ")"};
}

Status read_all(FfmpegRun& run, const std::function<void(ByteView)>& take) {
  for (;;) {
    auto piece = run.read();
    if (!piece) {
      return std::move(piece).error();
    }
    if (piece.value().empty()) {
      return run.end();
    }
    take(piece.value());
  }
}

Result<FinishedRun> finish(FfmpegRun& run) {
  FinishedRun finished;
  RECORDING_TRY(read_all(run, [&finished](ByteView piece) { put_bytes(finished.output, piece); }));
  finished.first_error = run.first_error();
  return finished;
}

}  // namespace recording::processing
