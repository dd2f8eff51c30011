#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "processing/byte_source.hpp"
#include "process/launch.hpp"
#include "transcode/lines.hpp"
#include "transcode/program_report.hpp"

namespace recording::processing {

// How programs are run for one order.
struct Tools {
  std::string launcher, ffmpeg;
  std::function<bool()> cancelled;     // asked often
  std::int64_t patience_ms = 120'000;  // a program that moves no byte for so long hangs
};

// As long as it lives, a write into a pipe that nobody reads is an error and no signal to this
// thread, whatever the program has set.
class NoBrokenPipes {
 public:
  NoBrokenPipes();
  ~NoBrokenPipes();
  NoBrokenPipes(const NoBrokenPipes&) = delete;
  NoBrokenPipes& operator=(const NoBrokenPipes&) = delete;

 private:
  bool was_blocked_;
};

// ffmpeg as it runs: fed from a source, its output taken piece by piece; what is not taken holds it
// up. Destroying it has it ended (SIGTERM, then SIGKILL) and waits for nothing. One thread, with
// NoBrokenPipes.
class FfmpegRun {
 public:
  // `arguments` without the program. `input` may be null: it gets none.
  static Result<std::unique_ptr<FfmpegRun>> start(const Tools& tools,
                                                  std::vector<std::string> arguments,
                                                  std::unique_ptr<ByteSource> input);

  // The next bytes of its output, valid until the next call; empty: it has ended, see end().
  // kUnavailable: cancelled, or it hung; what is wrong with the source as its read().
  Result<ByteView> read();

  // After an empty read(): nothing, or why what it wrote is not all that was asked for.
  [[nodiscard]] Status end() const;
  // The first error that it spoke of, mostly the cause of what follows; empty: none.
  [[nodiscard]] const std::string& first_error() const { return first_error_; }

 private:
  FfmpegRun(const Tools& tools, process::LaunchedProgram pipes, std::unique_ptr<ByteSource> input);

  Result<bool> wait();
  Status feed();
  bool take_output();
  void take_errors();
  void take_error(std::string_view line);
  void take_end();

  const Tools& tools_;
  process::LaunchedProgram pipes_;
  std::unique_ptr<ByteSource> input_;
  Bytes piece_;               // of the input
  std::size_t piece_at_ = 0;  // what of it was written
  Bytes output_;              // what was read
  std::size_t given_ = 0;     // what of it read() has given
  transcode::Lines errors_;
  std::string first_error_;
  transcode::ProgramEnd end_;
};

// Reads a run to its end, calling `take` for each piece of its output. Errors are those of read()
// and end().
Status read_all(FfmpegRun& run, const std::function<void(ByteView)>& take);

// A run that came to a good end.
struct FinishedRun {
  Bytes output;
  std::string first_error;  // as of FfmpegRun
};
// The same of a run that writes little.
Result<FinishedRun> finish(FfmpegRun& run);

}  // namespace recording::processing
