#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"

namespace recording::recorder {

// What one recording has to write. In a pool thread: write(), begin_sync() and sync(), in this
// order; all of them may block. Then, on the event loop, done(); or refused() instead of all four
// when the pool's queue is full. Destroyed on the event loop.
class WriteTask {
 public:
  WriteTask() = default;
  WriteTask(const WriteTask&) = delete;
  WriteTask& operator=(const WriteTask&) = delete;
  virtual ~WriteTask() = default;
  virtual void write() noexcept = 0;
  // Starts writing back what write() wrote and does not wait for it.
  virtual void begin_sync() noexcept = 0;
  virtual void sync() noexcept = 0;
  virtual void done() = 0;
  virtual void refused() = 0;
};

// Writes what several recordings have to write in one go: one wake-up of a thread and of the event
// loop for all of them, and all are written before the first is synced, so that the disk works on
// them together and one commit of the file system's journal nearly always serves all. A hundred
// streams would cost twice the CPU in the pool otherwise, and the disk a hundred commits a second.
//
// What is ready waits for others until the last round is a while ago, so not at all where little is
// recorded. It lies in the journal meanwhile. Event loop only.
class WriteRounds {
 public:
  WriteRounds(Executor& io, const Clock& clock) : io_(io), clock_(clock) {}

  // One task of a recording at a time. It is written when the last round is `most_wait_ms` ago, or
  // a quarter of a second if that is less. Its done() may come before add() returns.
  void add(std::unique_ptr<WriteTask> task, std::int64_t most_wait_ms);
  // Somebody waits for what was added: writes it now.
  void hurry();
  // Writes what has waited long enough. To be called several times a second while messages come.
  void tick();

 private:
  Executor& io_;
  const Clock& clock_;
  std::vector<std::unique_ptr<WriteTask>> waiting_;
  // Monotonic: when the last round was posted, and when the next one is, if something waits.
  std::int64_t last_ms_ = 0, due_ms_ = 0;
};

}  // namespace recording::recorder
