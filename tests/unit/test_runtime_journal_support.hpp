#pragma once

#include <cstring>
#include <deque>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "runtime/journal.hpp"
#include "test_runtime_support.hpp"

#include "cmocka.hpp"

// What the tests of the journal share.
namespace recording::runtime::test_journal {

// A pool whose jobs run when the test says so.
class ManualExecutor final : public Executor {
 public:
  bool post(std::unique_ptr<Job> job) noexcept override {
    if (refuses) {
      return false;
    }
    jobs.push_back(std::move(job));
    return true;
  }
  // How many there were, with those posted meanwhile.
  int run() {
    int count = 0;
    for (; !jobs.empty(); ++count) {
      std::unique_ptr<Job> job = std::move(jobs.front());
      jobs.pop_front();
      job->run();
      job->done();
    }
    return count;
  }
  std::deque<std::unique_ptr<Job>> jobs;
  bool refuses = false;
};

inline std::unique_ptr<Journal> open_journal(const std::string& directory, Executor& executor,
                                             unsigned percent = 50) {
  auto journal = Journal::open(directory, percent, executor);
  if (!journal) {
    fail_msg("%s", journal.error().message.c_str());
  }
  return std::move(journal).value();
}

inline void fill(const Segment& segment, std::uint32_t size, std::uint8_t first) {
  std::iota(segment.data, segment.data + size, first);
  segment.header->committed.store(size, std::memory_order_release);
}

inline bool is_filled(const Bytes& data, std::size_t size, std::uint8_t first) {
  Bytes expected(size);
  std::iota(expected.begin(), expected.end(), first);
  return data == expected;
}

inline std::vector<LeftSegment> read_left(const std::string& directory, std::uint64_t session) {
  auto left = read_left_segments(directory, session);
  return left ? std::move(left).value() : std::vector<LeftSegment>();
}

}  // namespace recording::runtime::test_journal
