#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transcode/live_session.hpp"

namespace recording::transcode {

// The live playback of one worker: the sessions of its publishers, and what they have left on disk.
// Event loop only.
class LiveSessions {
 public:
  // `paths`: every transcoder_path; they are swept of what earlier sessions left.
  LiveSessions(LiveEnvironment environment, std::vector<std::string> paths);

  // Owned here until it was ended and is over.
  LiveSession* begin(std::string app, std::string name, std::uint64_t session,
                     const TranscoderSettings& settings,
                     std::unique_ptr<RenditionSink> sink = nullptr);
  void end(LiveSession* session);
  void tick();
  // A stream that ended is still being finished: a draining worker waits for it.
  [[nodiscard]] bool busy() const;
  // The process exits: programs end, for their pipes do.
  void leave() { sessions_.clear(); }

 private:
  void sweep();

  LiveEnvironment env_;
  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<LiveSession>> sessions_;
  std::int64_t swept_ms_ = 0;  // monotonic; 0: not yet
};

}  // namespace recording::transcode
