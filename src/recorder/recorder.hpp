#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "recorder/environment.hpp"
#include "recorder/housekeeper.hpp"
#include "recorder/recording.hpp"
#include "recorder/session.hpp"

namespace recording::recorder {

// The recorder of one worker: the sessions of its publishers, the recordings it holds, and, in one
// worker of the machine, the housekeeping. Event loop only.
class Recorder {
 public:
  explicit Recorder(Environment& environment);
  ~Recorder();

  // Asks for the name before a publisher is let in. kConflict: somebody else on this machine
  // publishes it. The claim is given to begin(), or dropped when the publisher is refused.
  Result<runtime::OwnerLock> claim(const std::string& app, const std::string& name);

  // The publisher was accepted. nullptr: it cannot be recorded now, and the log says why; it is let
  // in all the same. The session is owned by the recorder until end().
  Session* begin(Publisher publisher, runtime::OwnerLock claim);
  void end(Session* session, SessionEnd how);

  // Keeps a recording that nobody else keeps until it is closed.
  void keep(std::shared_ptr<Recording> recording);

  // The live state was changed by somebody.
  void woken();
  void tick();

  // Something must be written still: a draining worker waits for it.
  [[nodiscard]] bool busy() const;
  // The process exits now: no file is touched any more, what is held stays in the journal, and the
  // recordings are left as interrupted for whoever comes back to them.
  void leave();

 private:
  Environment& env_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::shared_ptr<Recording>> kept_;
  Housekeeper housekeeper_;
  bool left_ = false;
};

}  // namespace recording::recorder
