#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace recording::transcode {

// How a program ended, as recording-launcher says it.
struct ProgramEnd {
  enum class How { kExited, kSignal, kFailed, kUnknown };
  How how = How::kUnknown;  // kUnknown: not even the launcher could say it
  int number = 0;           // exit status, signal, errno

  // It did what it was told, or ended because it was told to.
  [[nodiscard]] bool clean() const { return how == How::kExited && number == 0; }
};

// "ffmpeg was killed by signal 9"
std::string describe(const ProgramEnd& end, std::string_view program);

// What `ffmpeg -progress` and recording-launcher write, line by line: "key=value".
struct ProgramReport {
  std::int64_t media_us = 0;  // of output, as far as it has come
  std::int64_t frames = 0;    // of pictures
  double speed = 0;           // media time to wall time; 0: not known
  std::optional<ProgramEnd> end;

  // True: one round of progress is complete.
  bool take(std::string_view line);
};

}  // namespace recording::transcode
