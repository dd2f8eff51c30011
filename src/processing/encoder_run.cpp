#include "processing/encoder_run.hpp"

#include <utility>

#include "processing/encode_command.hpp"

namespace recording::processing {

Result<std::unique_ptr<EncoderRun>> EncoderRun::start(const Tools& tools,
                                                      std::vector<std::string> arguments,
                                                      std::unique_ptr<ByteSource> input) {
  auto run = FfmpegRun::start(tools, std::move(arguments), std::move(input));
  if (!run) {
    return std::move(run).error();
  }
  return std::unique_ptr<EncoderRun>(new EncoderRun(std::move(run).value()));
}

Result<std::optional<OwnedSample>> EncoderRun::next() {
  while (samples_.empty() && fault_) {
    auto piece = run_->read();
    if (!piece) {
      return std::move(piece).error();
    }
    if (piece.value().empty()) {
      break;
    }
    fault_ = movie_.take(piece.value(), [this](const EncodedSample& sample) {
      const std::int64_t shift = kShiftSeconds * movie_.tracks()[sample.track].timescale;
      samples_.push_back({sample.track, sample.dts - shift, sample.pts - shift, sample.key,
                          std::make_shared<const Bytes>(sample.bytes.begin(), sample.bytes.end())});
      return ok();
    });
  }
  if (samples_.empty()) {
    return std::optional<OwnedSample>();
  }
  std::optional<OwnedSample> sample(std::move(samples_.front()));
  samples_.pop_front();
  return sample;
}

Status EncoderRun::end() const {
  if (!fault_) {
    return fault_;
  }
  RECORDING_TRY(run_->end());
  return movie_.at_boundary() ? ok() : Error{Errc::kCorrupt, "the encoder's output is cut off"};
}

}  // namespace recording::processing
