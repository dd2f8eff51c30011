#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace recording::worker {

// {runtime}/worker.lock: one recording-worker at a time on a runtime folder. The file keeps a name
// for whoever holds it, so that the next holder knows which leases are its dead predecessor's.
class WorkerLock {
 public:
  static Result<WorkerLock> open(const std::string& runtime);
  // True: it is held until this object goes. False: somebody else holds it.
  Result<bool> try_take();
  // 32 hex digits, unique to this runtime folder since it was made. Once it is taken.
  [[nodiscard]] const std::string& holder() const { return holder_; }

 private:
  WorkerLock(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  Status read_holder();

  std::string path_;
  UniqueFd fd_;
  std::string holder_;
};

}  // namespace recording::worker
