#pragma once

#include <mutex>

#include "base/log.hpp"

namespace recording::worker {

// Lines on standard error, each beginning with its level as systemd and nginx's side of it
// (app/worker_program.cpp) read it: "<4>…"; without it on a terminal. Any thread.
class StderrLog final : public Log {
 public:
  StderrLog();
  void write(LogLevel level, std::string_view line) noexcept override;

 private:
  const bool plain_;
  std::mutex mutex_;
};

}  // namespace recording::worker
