#include "worker/stderr_log.hpp"

#include <unistd.h>

#include <cstdio>

namespace recording::worker {
namespace {

// As in syslog(3).
int number_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return 7;
    case LogLevel::kInfo:
      return 6;
    case LogLevel::kNotice:
      return 5;
    case LogLevel::kWarn:
      return 4;
    case LogLevel::kError:
      return 3;
    case LogLevel::kCrit:
      break;
  }
  return 2;
}

}  // namespace

StderrLog::StderrLog() : plain_(::isatty(STDERR_FILENO) == 1) {}

void StderrLog::write(LogLevel level, std::string_view line) noexcept {
  const std::lock_guard held(mutex_);
  if (!plain_) {
    (void)std::fprintf(stderr, "<%d>", number_of(level));
  }
  (void)std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

}  // namespace recording::worker
