#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/strings.hpp"
#include "catalog/catalog_service.hpp"
#include "media/flv_tag.hpp"
#include "recorder/control.hpp"
#include "recorder/events.hpp"
#include "recorder/live_change.hpp"
#include "recorder/recorder.hpp"
#include "recorder/write_rounds.hpp"
#include "runtime/journal.hpp"
#include "support/fake_clock.hpp"
#include "support/fault_file.hpp"
#include "support/inline_executor.hpp"
#include "support/memory_log.hpp"
#include "test_recorder_catalog.hpp"
#include "test_recorder_encoder.hpp"

// What the tests of the recorder share: a machine with a disk that can fail, worker processes on it
// that can be killed between any two steps, an encoder that knows what a recording must hold.
namespace recording::test {

// A runtime directory on tmpfs.
class RuntimeDirectory {
 public:
  RuntimeDirectory() {
    char name[] = "/dev/shm/recording-recorder-test.XXXXXX";
    path_ = ::mkdtemp(name) != nullptr ? name : "";
  }
  ~RuntimeDirectory() {
    wipe();
    ::rmdir(path_.c_str());
  }
  RuntimeDirectory(const RuntimeDirectory&) = delete;
  RuntimeDirectory& operator=(const RuntimeDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::vector<std::string> names(const std::string& prefix = "") const {
    std::vector<std::string> found;
    if (DIR* listing = ::opendir(path_.c_str())) {
      while (const dirent* entry = ::readdir(listing)) {
        const std::string name = entry->d_name;
        if (name != "." && name != ".." && name.compare(0, prefix.size(), prefix) == 0) {
          found.push_back(name);
        }
      }
      ::closedir(listing);
    }
    return found;
  }
  // The machine was restarted.
  void wipe() const {
    for (const std::string& name : names()) {
      ::remove((path_ + "/" + name).c_str());
    }
  }
  // As the files are just now, into another directory: what a kill at this instant would leave.
  void copy_to(const RuntimeDirectory& other) const {
    for (const std::string& name : names()) {
      if (name.compare(0, 2, "w.") == 0) {
        continue;  // a socket
      }
      std::ifstream in(path_ + "/" + name, std::ios::binary);
      std::ofstream out(other.path_ + "/" + name, std::ios::binary);
      const Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
      out.write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
    }
  }

 private:
  std::string path_;
};

// What outlives a process: disk, tmpfs, time, catalogue; and the log, for the test to read.
struct Machine {
  Machine() {
    (void)memory.make_directories("/spool");
    (void)memory.make_directories("/videos");
    disk.settle();
    rules.auto_record = 1;
    rules.min_duration_ms = 0;
    rules.reconnect_window_ms = 60000;
    rules.buffer_bytes = 4 << 20;
  }
  RuntimeDirectory runtime;
  MemFileSystem memory;
  FaultFileSystem disk{memory};
  FakeClock clock;
  MemoryLog log;
  CatalogData catalog;
  runtime::RecordingRules rules;  // of the application; for a publisher that comes next
  std::int64_t min_free_bytes = 0;
  std::int64_t keep_ms = 0;
  unsigned journal_percent = 10;
  std::size_t extent_segments = runtime::kExtentSegments;
  std::uint64_t zone_bytes = 65536;

  [[nodiscard]] std::vector<std::string> stored() const {
    std::vector<std::string> found;
    for (const std::string& path : memory.paths()) {
      if (path.compare(0, 7, "videos/") == 0) {
        found.push_back(path);
      }
    }
    return found;
  }
  [[nodiscard]] std::vector<std::string> spooled() const {
    std::vector<std::string> found;
    for (const std::string& path : memory.paths()) {
      if (path.compare(0, 6, "spool/") == 0) {
        found.push_back(path);
      }
    }
    return found;
  }
};

// One worker.
class Worker {
 public:
  explicit Worker(Machine& machine)
      : machine_(machine),
        state_(std::move(runtime::LiveState::open(machine.runtime.path(), machine.zone_bytes))
                   .value()),
        journal_(
            machine.journal_percent == 0
                ? nullptr
                : std::move(runtime::Journal::open(machine.runtime.path(), machine.journal_percent,
                                                   io, machine.extent_segments))
                      .value()),
        wakeup_(std::move(runtime::WakeupSocket::open(machine.runtime.path())).value()),
        catalog_(
            catalog_io,
            [&machine](bool) -> Result<std::unique_ptr<catalog::Catalog>> {
              return std::unique_ptr<catalog::Catalog>(
                  std::make_unique<FakeCatalog>(machine.catalog));
            },
            1),
        segments(journal_.get()),
        events_(machine.log, machine.clock, catalog_, {"http://h/"}),
        changes(*state_, machine.log),
        rounds_(io, machine.clock),
        environment{*state_,
                    machine.clock,
                    machine.log,
                    io,
                    finish_io,
                    machine.disk,
                    catalog_,
                    segments,
                    wakeup_,
                    events_,
                    changes,
                    rounds_,
                    machine.runtime.path(),
                    "/spool",
                    "/videos",
                    machine.min_free_bytes,
                    machine.keep_ms},
        recorder_(std::make_unique<recorder::Recorder>(environment)) {}

  // As by SIGKILL: nothing is run any more, nothing is tidied up; the kernel frees the locks.
  ~Worker() {
    segments.abandon();
    recorder_.reset();
    io.kill_process();
    finish_io.kill_process();
    catalog_io.kill_process();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  recorder::Session* publish(const std::string& name = "cam") {
    recorder::Admission admission = recorder_->admit("live", name, -1);
    if (admission.how != recorder::Admission::How::kFree) {
      return nullptr;
    }
    return recorder_->begin({"live", name, machine_.rules, nullptr, {}}, std::move(admission));
  }
  void settle() {
    while (io.drain() + finish_io.drain() + catalog_io.drain() > 0) {
    }
  }
  // A second passes.
  void tick(std::int64_t ms = 1000) {
    machine_.clock.advance(ms);
    recorder_->tick();
    settle();
    recorder_->woken();  // may come at any time
    settle();
  }
  void ticks(int count) {
    for (int i = 0; i < count; ++i) {
      tick();
    }
  }

  runtime::LiveState& state() { return *state_; }
  runtime::Journal& journal() { return *journal_; }
  recorder::Recorder& recorder() { return *recorder_; }
  Machine& machine() { return machine_; }

  runtime::StreamRecord stream(const std::string& name = "cam") {
    auto live = std::move(state_->begin()).value();
    const auto* record = live.stream(live.find_stream("live", name));
    return record != nullptr ? *record : runtime::StreamRecord{};
  }
  std::int32_t stream_index(const std::string& name = "cam") {
    auto live = std::move(state_->begin()).value();
    return live.find_stream("live", name);
  }
  std::vector<runtime::RecordingRecord> recordings() {
    std::vector<runtime::RecordingRecord> found;
    auto live = std::move(state_->begin()).value();
    live.for_each_recording(
        [&](std::int32_t, const runtime::RecordingRecord& record) { found.push_back(record); });
    return found;
  }

 private:
  Machine& machine_;

 public:
  QueuedExecutor io, finish_io, catalog_io;

 private:
  std::unique_ptr<runtime::LiveState> state_;
  std::unique_ptr<runtime::Journal> journal_;
  runtime::WakeupSocket wakeup_;
  catalog::CatalogService catalog_;

 public:
  recorder::SegmentPool segments;

 private:
  recorder::Events events_;

 public:
  recorder::LiveChanges changes;

 private:
  recorder::WriteRounds rounds_;

 public:
  recorder::Environment environment;

 private:
  std::unique_ptr<recorder::Recorder> recorder_;
};

// The files of all videos that the catalogue has as ready, in the order in which they began.
inline std::vector<catalog::VideoRow> ready_videos(const Machine& machine) {
  std::vector<catalog::VideoRow> rows;
  for (const auto& [slug, row] : machine.catalog.videos) {
    if (row.status == "viewable") {
      rows.push_back(row);
    }
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::pair(a.recording_started_at, a.sequence) <
           std::pair(b.recording_started_at, b.sequence);
  });
  return rows;
}
inline Bytes file_of(const Machine& machine, const catalog::VideoRow& row) {
  return machine.memory.read("/videos/" + row.path + "/source.mp4");
}

// Sends media in real time up to `until_ms` of the encoder's time; the pool keeps up.
inline void publish_until(Worker& worker, Encoder& encoder, std::uint64_t until_ms) {
  while (encoder.next_ms() < until_ms) {
    const std::uint64_t before = encoder.next_ms();
    encoder.step();
    worker.machine().clock.advance(static_cast<std::int64_t>(encoder.next_ms() - before));
    if (encoder.next_ms() / 1000 != before / 1000) {
      worker.recorder().tick();
    }
    worker.settle();
  }
}

// A publish from its first message up to `until_ms` of it.
inline recorder::Session* publish_for(Worker& worker, Encoder& encoder, std::uint64_t until_ms,
                                      std::uint32_t from_ts = 0) {
  recorder::Session* session = worker.publish();
  encoder.connect(session, from_ts);
  publish_until(worker, encoder, until_ms);
  return session;
}
// Longer than every window.
inline void run_out(Worker& worker) { worker.ticks(70); }
inline void end_for_good(Worker& worker, recorder::Session* session) {
  worker.recorder().end(session, recorder::SessionEnd::kInterrupted);
  run_out(worker);
}

inline void start(Worker& worker) {
  (void)recorder::start_recording(worker.state(), worker.machine().clock, worker.stream_index(), 0);
  worker.recorder().woken();
  worker.settle();
}
inline void stop(Worker& worker) {
  (void)recorder::stop_recording(worker.state(), worker.machine().clock, worker.stream_index());
  worker.recorder().woken();
  worker.settle();
}

inline HandedTracks range(const HandedTracks& all, std::size_t video_from, std::size_t video_to,
                          std::size_t audio_from, std::size_t audio_to) {
  HandedTracks part;
  const auto cut = [](const std::vector<Handed>& from, std::size_t begin, std::size_t end) {
    return std::vector<Handed>(from.begin() + static_cast<std::ptrdiff_t>(begin),
                               from.begin() + static_cast<std::ptrdiff_t>(end));
  };
  part[0] = cut(all[0], video_from, video_to);
  part[1] = cut(all[1], audio_from, audio_to);
  return part;
}

inline HandedTracks from(const Encoder& encoder, std::size_t video, std::size_t audio) {
  return range(encoder.handed, video, encoder.handed[0].size(), audio, encoder.handed[1].size());
}
inline HandedTracks up_to(const Encoder& encoder, std::size_t video, std::size_t audio) {
  return range(encoder.handed, 0, video, 0, audio);
}

}  // namespace recording::test
