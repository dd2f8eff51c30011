#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "processing/encoder_run.hpp"
#include "processing/missing_parts.hpp"
#include "processing/output_plan.hpp"

namespace recording::processing {

// The sound of a recording as it is encoded, part after part, for each bit rate. It is taken as far
// as the pictures are, so that both can be written together.
class SoundTrack {
 public:
  struct Handlers {
    // Encoder `track` begins anew.
    std::function<Status(std::size_t track, const media::TrackConfig&)> begin;
    // Its times are those of the recording, in ticks of the configuration's clock.
    std::function<Status(const OwnedSample&)> add;
  };

  SoundTrack(const Tools& tools, const SourcePlan& source, const OutputPlan& output,
             MissingParts& missing, Handlers handlers)
      : tools_(tools),
        source_(source),
        output_(output),
        missing_(missing),
        handlers_(std::move(handlers)) {}

  // The first encoder works while others do.
  Status start() { return next_ == 0 ? begin_part() : ok(); }
  // All of it that is before that time, in ticks of 1/120000 s, has been added. kUnavailable, kIo
  // and what handlers give.
  Status take_until(std::int64_t time);

 private:
  Status begin_part();
  Status take_one(const OwnedSample& sample);
  Status end_part();

  const Tools& tools_;
  const SourcePlan& source_;
  const OutputPlan& output_;
  MissingParts& missing_;
  Handlers handlers_;
  std::unique_ptr<EncoderRun> run_;  // of part next_ - 1
  std::size_t next_ = 0;
  bool described_ = false;  // handlers_.begin was called for this run
  std::int64_t until_ = 0;  // what was added is before that
};

}  // namespace recording::processing
