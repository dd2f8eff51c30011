#include "app/worker_program.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/strings.hpp"
#include "config/directives.hpp"

namespace recording::app {
namespace {

constexpr std::int64_t kFirstBackOffMs = 1000, kLongestBackOffMs = 5000;
// One that ran for so long failed for another reason than the one before.
constexpr std::int64_t kGoodRunMs = 60000;
// A program that says more than this in that time is cut short in nginx's log.
constexpr int kMostLines = 200;
constexpr std::int64_t kLinesMs = 10000;
constexpr const char* kName = "recording-worker";

// Lines begin with "<N>", N as in syslog(3): base/log.hpp's levels by it.
LogLevel level_of(std::string_view& line) {
  if (line.size() < 3 || line[0] != '<' || line[2] != '>') {
    return LogLevel::kWarn;  // what it did not say itself
  }
  const char number = line[1];
  line.remove_prefix(3);
  switch (number) {
    case '3':
      return LogLevel::kError;
    case '4':
      return LogLevel::kWarn;
    case '5':
      return LogLevel::kNotice;
    case '6':
      return LogLevel::kInfo;
    case '7':
      return LogLevel::kDebug;
    default:
      return LogLevel::kCrit;
  }
}

}  // namespace

WorkerProgram::WorkerProgram(EventLoop& events, const Clock& clock, Log& log,
                             const config::Config& config)
    : events_(events),
      clock_(clock),
      log_(log),
      launcher_(config.launcher),
      program_path_(config.worker_program),
      configuration_(config::to_text(config)) {}

void WorkerProgram::tick() {
  if (!over_ && program_ == nullptr && clock_.monotonic_ms() >= start_at_ms_) {
    start();
  }
}

void WorkerProgram::end() {
  over_ = true;
  if (program_ != nullptr) {
    program_->end();
  }
}

void WorkerProgram::start() {
  started_ms_ = clock_.monotonic_ms();
  handed_over_ = 0;
  auto started = transcode::Program::start(
      events_, launcher_, {program_path_, "-c", "-"},
      {[this] { hand_over_configuration(); }, [](const transcode::ProgramReport&) {},
       [this](std::string_view line) { say(line); },
       [this](const transcode::ProgramEnd& how) { ended(how); }});
  if (!started) {
    log_.write(LogLevel::kError, std::string(kName) + ": " + started.error().message);
    return ended({});
  }
  program_ = std::move(started).value();
  hand_over_configuration();
}

void WorkerProgram::hand_over_configuration() {
  while (program_->input() >= 0 && handed_over_ < configuration_.size()) {
    const ssize_t written = ::write(program_->input(), configuration_.data() + handed_over_,
                                    configuration_.size() - handed_over_);
    if (written > 0) {
      handed_over_ += static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {
      return program_->wait_writable();
    } else if (errno != EINTR) {
      return;  // it has died, and its end is told
    }
  }
  program_->close_input();
}

void WorkerProgram::say(std::string_view line) {
  const std::int64_t now = clock_.monotonic_ms();
  if (now - lines_since_ms_ >= kLinesMs) {
    if (lines_left_out_ > 0) {
      log_.write(LogLevel::kWarn,
                 std::to_string(lines_left_out_) + " more lines of " + std::string(kName));
    }
    lines_since_ms_ = now;
    lines_ = lines_left_out_ = 0;
  }
  if (lines_ >= kMostLines) {
    ++lines_left_out_;
    return;
  }
  ++lines_;
  const LogLevel level = level_of(line);
  log_.write(level, std::string(kName) + ": " + to_valid_utf8(line));
}

void WorkerProgram::ended(const transcode::ProgramEnd& how) {
  const std::int64_t now = clock_.monotonic_ms();
  const bool started = program_ != nullptr;
  program_.reset();
  if (over_) {
    return;
  }
  failures_ = now - started_ms_ >= kGoodRunMs ? 1 : failures_ + 1;
  start_at_ms_ = now + std::min(kLongestBackOffMs, kFirstBackOffMs << std::min(failures_ - 1, 3));
  if (started) {
    log_.write(
        LogLevel::kError,
        describe(how, how.how == transcode::ProgramEnd::How::kFailed ? program_path_ : kName) +
            "; it is started again");
  }
}

}  // namespace recording::app
