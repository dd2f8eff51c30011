#pragma once

#include <memory>
#include <optional>
#include <string>

#include "recorder/session.hpp"
#include "transcode/rendition_sink.hpp"

namespace recording::app {

// Hands the best rendition of a live session to the recorder's session of the same publisher, which
// may end before or after it. Event loop only.
class RenditionRecorder final : public transcode::RenditionSink {
 public:
  explicit RenditionRecorder(recorder::Session& session) : session_(session.weak_from_this()) {}

  [[nodiscard]] std::optional<bool> wanted() const override;
  void declare_frame_rate(double frames_per_second) override;
  void take(media::TrackKind kind, std::uint32_t timestamp_ms, media::Pieces message) override;
  void interrupted() override;
  void over(const std::string& why) override;

 private:
  std::weak_ptr<recorder::Session> session_;
};

}  // namespace recording::app
