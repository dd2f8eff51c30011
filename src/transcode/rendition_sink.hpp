#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/codec.hpp"
#include "media/pieces.hpp"

namespace recording::transcode {

// Takes the best rendition of a live session, as messages, while it is made. Event loop only.
class RenditionSink {
 public:
  virtual ~RenditionSink() = default;
  // Whether it takes it at all; nullopt: that is not known yet, and soon will be.
  [[nodiscard]] virtual std::optional<bool> wanted() const = 0;

  virtual void declare_frame_rate(double frames_per_second) = 0;
  virtual void take(media::TrackKind kind, std::uint32_t timestamp_ms, media::Pieces message) = 0;
  // The program that made it has ended; what comes now is another one's.
  virtual void interrupted() = 0;
  // Nothing more comes; `why`: to a person, empty when all went well.
  virtual void over(const std::string& why) = 0;
};

}  // namespace recording::transcode
