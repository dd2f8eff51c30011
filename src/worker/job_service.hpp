#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "worker/service.hpp"
#include "worker/video_job.hpp"

namespace recording::worker {

// Does the catalogue's jobs, as many at once as the configuration says.
class JobService final : public Service {
 public:
  using Opener = std::function<Result<std::unique_ptr<catalog::Catalog>>()>;

  // `holder`: of the lock, as it stands in leases.
  JobService(JobEnvironment environment, std::string holder, Opener opener)
      : env_(environment), holder_(std::move(holder)), opener_(std::move(opener)) {}

  void run(const std::stop_token& stop) override;

 private:
  // Empty: it is to stop.
  std::unique_ptr<catalog::Catalog> open(const std::stop_token& stop) const;
  void do_jobs(const std::stop_token& stop) const;
  bool look_for_room() const;
  void sweep(catalog::Catalog& rows) const;
  void give_up_events(catalog::Catalog& rows) const;
  void remove_left_folders(catalog::Catalog& rows) const;

  const JobEnvironment env_;
  const std::string holder_;
  const Opener opener_;
  mutable std::atomic<bool> without_room_{false};
};

}  // namespace recording::worker
