#pragma once

#include <string_view>

namespace recording {

enum class LogLevel { kDebug, kInfo, kNotice, kWarn, kError, kCrit };

// Where the core says what happened. Event loop only; errors that are returned are not logged too.
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view line) noexcept = 0;
};

}  // namespace recording
