#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "config/config.hpp"
#include "transcode/program.hpp"

namespace recording::app {

// recording-worker beside nginx: started by the first worker process of a generation, started again
// when it dies, told the configuration through its standard input, which no other process can read.
// Event loop only; never waits for it.
class WorkerProgram {
 public:
  WorkerProgram(EventLoop& events, const Clock& clock, Log& log, const config::Config& config);
  WorkerProgram(const WorkerProgram&) = delete;
  WorkerProgram& operator=(const WorkerProgram&) = delete;

  // Starts it when it is time to; once a second.
  void tick();
  // This nginx worker leaves: it is ended (SIGTERM), and the next generation's goes on.
  void end();

 private:
  void start();
  void hand_over_configuration();
  void say(std::string_view line);
  void ended(const transcode::ProgramEnd& how);

  EventLoop& events_;
  const Clock& clock_;
  Log& log_;
  const std::string launcher_, program_path_, configuration_;
  std::unique_ptr<transcode::Program> program_;
  std::size_t handed_over_ = 0;  // bytes of configuration_
  bool over_ = false;
  std::int64_t started_ms_ = 0, start_at_ms_ = 0;
  int failures_ = 0;  // in a row
  std::int64_t lines_since_ms_ = 0;
  int lines_ = 0, lines_left_out_ = 0;
};

}  // namespace recording::app
