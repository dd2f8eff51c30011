#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "processing/encoded_movie.hpp"
#include "processing/ffmpeg_run.hpp"

namespace recording::processing {

// A sample that owns its bytes; several renditions may have it.
struct OwnedSample {
  std::size_t track = 0;
  std::int64_t dts = 0, pts = 0;  // ticks of its track, of the clip's time
  bool key = false;
  std::shared_ptr<const Bytes> bytes;
};

// An encoder at work on one clip: its samples, one after the other. As FfmpegRun otherwise.
class EncoderRun {
 public:
  static Result<std::unique_ptr<EncoderRun>> start(const Tools& tools,
                                                   std::vector<std::string> arguments,
                                                   std::unique_ptr<ByteSource> input);

  // Nothing: it has ended, see end().
  Result<std::optional<OwnedSample>> next();
  [[nodiscard]] const std::vector<media::TrackConfig>& tracks() const { return movie_.tracks(); }
  // After the last sample: nothing, or why there are no more. kUnavailable: another time may do.
  [[nodiscard]] Status end() const;
  [[nodiscard]] const std::string& first_error() const { return run_->first_error(); }

 private:
  explicit EncoderRun(std::unique_ptr<FfmpegRun> run) : run_(std::move(run)) {}

  std::unique_ptr<FfmpegRun> run_;
  EncodedMovie movie_;
  std::deque<OwnedSample> samples_;
  Status fault_ = ok();  // of its output
};

}  // namespace recording::processing
