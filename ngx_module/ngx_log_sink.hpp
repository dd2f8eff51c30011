#pragma once

#include "ngx_headers.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace recording::ngx {

// The core's lines in nginx's error log. Event loop only.
class NgxLogSink final : public Log {
 public:
  void write(LogLevel level, std::string_view line) noexcept override {
    // Names come from encoders: a line stays one line, whatever bytes they send.
    char shown[NGX_MAX_ERROR_STR];
    const std::size_t size = std::min(line.size(), sizeof(shown));
    std::transform(line.begin(), line.begin() + size, shown, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x20 || byte == 0x7f ? '?' : c;
    });
    ngx_log_error(nginx_level(level), ngx_cycle->log, 0, "recording: %*s", size, shown);
  }

 private:
  static ngx_uint_t nginx_level(LogLevel level) noexcept {
    switch (level) {
      case LogLevel::kDebug:
        return NGX_LOG_DEBUG;
      case LogLevel::kInfo:
        return NGX_LOG_INFO;
      case LogLevel::kNotice:
        return NGX_LOG_NOTICE;
      case LogLevel::kWarn:
        return NGX_LOG_WARN;
      case LogLevel::kError:
        return NGX_LOG_ERR;
      case LogLevel::kCrit:
        break;
    }
    return NGX_LOG_CRIT;
  }
};

}  // namespace recording::ngx
