#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recorder/environment.hpp"
#include "recorder/housekeeper.hpp"
#include "recorder/recording.hpp"
#include "recorder/session.hpp"

namespace recording::recorder {

// Whether a publisher may have a name. Given to begin(), or dropped when the publisher is refused
// after all.
struct Admission {
  enum class How {
    kFree,              // nobody has it; `lock` does now
    kReplaceHere,       // a silent publisher of this worker has it: `replaced`
    kReplaceElsewhere,  // a silent publisher of another worker has it
    kRefused,           // a live publisher has it
    kUnknown            // it could not be found out; let in, not recorded
  };
  How how = How::kUnknown;
  std::optional<runtime::OwnerLock> lock;
  Session* replaced = nullptr;
  std::string why;  // kUnknown
};

// The recorder of one worker: the sessions of its publishers, the recordings it holds, and, in one
// worker of the machine, the housekeeping. Event loop only.
class Recorder {
 public:
  explicit Recorder(Environment& environment);
  ~Recorder();

  // Asks for the name before a publisher is let in. `takeover_ms`: a publisher that has sent
  // nothing for that long is replaced; negative: never.
  Admission admit(const std::string& app, const std::string& name, std::int64_t takeover_ms);

  // The publisher was accepted. nullptr: it cannot be recorded now, and the log says why; it is let
  // in all the same. The session is owned by the recorder until end(), and
  // then for as long as it has a tail.
  Session* begin(Publisher publisher, Admission admission);
  void end(Session* session, SessionEnd how);

  // Keeps a recording that nobody else keeps until it is closed.
  void keep(std::shared_ptr<Recording> recording);

  // nginx drains this worker: publishers are asked to reconnect after recording_drain_timeout.
  void drain();

  // The live state was changed by somebody.
  void woken();
  void tick();

  // Something must be written still: a draining worker waits for it.
  [[nodiscard]] bool busy() const;
  // The process exits now: no file is touched any more, what is held stays in the journal, and the
  // recordings are left as interrupted for whoever comes back to them.
  void leave();

 private:
  Session* find(const std::string& app, const std::string& name);

  Environment& env_;
  std::int64_t draining_since_ms_ = 0;  // monotonic; 0: not draining
  std::vector<std::shared_ptr<Session>> sessions_;
  std::vector<std::shared_ptr<Session>> tails_;  // their publishers have left
  std::vector<std::shared_ptr<Recording>> kept_;
  Housekeeper housekeeper_;
  bool left_ = false;
};

}  // namespace recording::recorder
