#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "process/launch.hpp"
#include "transcode/lines.hpp"
#include "transcode/program_report.hpp"

namespace recording::transcode {

// A transcoding program that runs. Destroying it has it ended (SIGTERM, then SIGKILL) by its
// launcher; nobody waits for that. Event loop only; never blocks.
class Program {
 public:
  struct Handlers {
    std::function<void()> writable;  // its input takes more, after wait_writable()
    std::function<void(const ProgramReport&)> progressed;
    std::function<void(std::string_view)> said;    // a line of its standard error
    std::function<void(const ProgramEnd&)> ended;  // the last one; this one may destroy it
    std::function<void(ByteView)> made = nullptr;  // what comes of descriptor 4; null: it has none
  };

  static Result<std::unique_ptr<Program>> start(EventLoop& events, const std::string& launcher,
                                                const std::vector<std::string>& command,
                                                Handlers handlers);

  [[nodiscard]] int input() const { return pipes_.input.get(); }  // -1: closed
  void wait_writable() { input_watch_->wait(); }
  // Nothing more comes: it ends by itself when it has done all that it got.
  void close_input();
  // SIGTERM, and SIGKILL after 5 s; ended() tells when it is gone.
  void end() { pipes_.lifeline.reset(); }

 private:
  Program(process::LaunchedProgram pipes, Handlers handlers)
      : pipes_(std::move(pipes)), handlers_(std::move(handlers)) {}

  bool watch(EventLoop& events);
  void read_output();
  void read_errors();
  void read_media();

  process::LaunchedProgram pipes_;
  Handlers handlers_;
  ProgramReport report_;
  Lines output_lines_, error_lines_;
  std::unique_ptr<EventLoop::Watch> input_watch_, output_watch_, errors_watch_, media_watch_;
};

}  // namespace recording::transcode
