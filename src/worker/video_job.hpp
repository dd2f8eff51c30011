#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "processing/video_processor.hpp"
#include "storage/file.hpp"

namespace recording::worker {

// What makes renditions and pictures: processing/video_processor.hpp.
class Processor {
 public:
  virtual ~Processor() = default;
  virtual Result<std::vector<transcode::RenditionSetting>> fitting(
      const std::string& source, const std::vector<transcode::RenditionSetting>& settings) = 0;
  virtual Result<processing::Outcome> process(const processing::Order& order,
                                              processing::Observer& observer) = 0;
};

struct JobEnvironment {
  const config::Config& config;
  const Clock& clock;
  Log& log;  // of any thread
  storage::FileSystem& files;
  Processor& processor;
};

// How long a lease holds without being extended.
inline constexpr std::int64_t kLeaseMs = 60'000;
// Failures of a video before it is given up, and deaths of its workers.
inline constexpr std::int64_t kMostFailures = 5, kMostDeaths = 50;

// Where jobs write before it is moved into the videos' folders; a folder for each lease.
std::string work_folder(const config::Config& config);
// Whether what jobs write to has min_free left: the rest is for recordings. Blocks.
bool has_room(const JobEnvironment& environment);
// With all that is in it; one that is not there is no error.
Status remove_tree(const std::string& folder);

// Does the leased job and tells the catalogue how it ended. A thread of its own; blocks for as long
// as it takes, or until it is asked to stop, when the job is given back.
void do_job(const JobEnvironment& environment, catalog::Catalog& rows, const catalog::Lease& lease,
            const std::stop_token& stop);

// When a job that failed so many times before is tried again; 0: never.
std::int64_t retry_at(std::int64_t failures, std::int64_t now_ms);

}  // namespace recording::worker
