#pragma once

#include <cstdint>
#include <string>

#include "runtime/records.hpp"
#include "transcode/program_report.hpp"

namespace recording::transcode {

using runtime::TranscoderState;

// Decides when the transcoding program of a session is started, started again, ended and given up.
// Pure: it is told what happens and when (monotonic ms), and says what to do.
class Supervisor {
 public:
  enum class Act {
    kNothing,
    kStart,  // then started() or, when it could not be, ended()
    kEnd     // then, in its time, ended()
  };

  explicit Supervisor(int most_restarts) : most_restarts_(most_restarts) {}

  // The source is known.
  void begin(std::int64_t now_ms);
  // The source cannot be transcoded.
  void refuse(std::string why);
  void started(std::int64_t now_ms);
  // Media came that the program has to take.
  void offered(std::int64_t now_ms);
  // `media_us` as the program counts it. True: it has begun to run.
  bool progressed(std::int64_t now_ms, std::int64_t media_us);
  // `why`: to a person. Of a program that could not be run at all nothing is tried again.
  void ended(std::int64_t now_ms, const ProgramEnd& end, std::string why);
  // The program gets the end of its input, and another one takes its place; that is no restart.
  void renew(std::int64_t now_ms);
  // The publisher left; the program gets the end of its input.
  void finish(std::int64_t now_ms);

  // What to do now; asked once a second and after each of the above.
  Act next(std::int64_t now_ms);

  [[nodiscard]] TranscoderState state() const { return state_; }
  [[nodiscard]] int restarts() const { return restarts_; }
  // Why it ended last, was given up or refused; empty while all is well.
  [[nodiscard]] const std::string& error() const { return error_; }
  // Nothing more will be done.
  [[nodiscard]] bool over() const {
    return state_ == TranscoderState::kFailed || state_ == TranscoderState::kRefused ||
           state_ == TranscoderState::kEnded;
  }
  // finish() was called, and the program is not done yet.
  [[nodiscard]] bool finishing() const { return finishing_ && has_program_; }
  // renew() was called, and the program is not done yet.
  [[nodiscard]] bool renewing() const { return renewing_; }

 private:
  [[nodiscard]] bool hangs(std::int64_t now_ms) const;

  const int most_restarts_;
  TranscoderState state_ = TranscoderState::kProbing;
  int restarts_ = 0;
  int failures_ = 0;  // in a row
  std::string error_;
  std::int64_t start_at_ms_ = 0;  // while there is no program
  bool has_program_ = false;
  bool finishing_ = false, renewing_ = false;
  bool told_to_end_ = false;
  std::int64_t running_since_ms_ = 0;
  std::int64_t media_us_ = 0;
  std::int64_t offered_ms_ = 0;      // last
  std::int64_t unanswered_ms_ = -1;  // since when media are offered without progress; -1: not
  std::int64_t finish_by_ms_ = 0, finish_until_ms_ = 0;
};

}  // namespace recording::transcode
