#include "app/rendition_recorder.hpp"

namespace recording::app {

using recorder::Session;
using runtime::Recorded;

std::optional<bool> RenditionRecorder::wanted() const {
  const std::shared_ptr<Session> session = session_.lock();
  if (session == nullptr) {
    return false;
  }
  const Recorded recorded = session->recorded();
  return recorded == Recorded::kNotKnown ? std::nullopt
                                         : std::optional(recorded == Recorded::kRendition);
}

void RenditionRecorder::declare_frame_rate(double frames_per_second) {
  if (const std::shared_ptr<Session> session = session_.lock(); session != nullptr) {
    session->declare_rendition_rate(frames_per_second);
  }
}

void RenditionRecorder::take(media::TrackKind kind, std::uint32_t timestamp_ms,
                             media::Pieces message) {
  if (const std::shared_ptr<Session> session = session_.lock(); session != nullptr) {
    session->on_rendition(kind, timestamp_ms, message);
  }
}

void RenditionRecorder::interrupted() {
  if (const std::shared_ptr<Session> session = session_.lock(); session != nullptr) {
    session->interrupt_rendition();
  }
}

void RenditionRecorder::over(const std::string& why) {
  if (const std::shared_ptr<Session> session = session_.lock(); session != nullptr) {
    session->end_rendition(why);
  }
}

}  // namespace recording::app
