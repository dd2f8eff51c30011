#include "worker/job_service.hpp"

#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "webhook/deliverer.hpp"

namespace recording::worker {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{500}, kOpenAgain{5000}, kSweepEvery{600'000};

}  // namespace

std::unique_ptr<catalog::Catalog> JobService::open(const std::stop_token& stop) const {
  std::string told;
  while (!stop.stop_requested()) {
    auto opened = opener_();
    if (opened) {
      return std::move(opened).value();
    }
    if (opened.error().message != told) {
      told = opened.error().message;
      env_.log.write(LogLevel::kError, told + "; trying again");
    }
    (void)wait_for(stop, kOpenAgain);
  }
  return nullptr;
}

void JobService::run(const std::stop_token& stop) {
  std::unique_ptr<catalog::Catalog> rows = open(stop);
  if (rows == nullptr) {
    return;
  }
  // Whoever had the lock before is dead, and so is all that he began.
  while (!stop.stop_requested() && !rows->end_leases_of(holder_)) {
    (void)wait_for(stop, kOpenAgain);
  }
  sweep(*rows);
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < env_.config.workers; ++i) {
    threads.emplace_back([this, stop] { do_jobs(stop); });
  }
  while (!wait_for(stop, kSweepEvery)) {
    if (!rows->usable()) {
      rows = open(stop);
    }
    if (rows != nullptr) {
      sweep(*rows);
    }
  }
}

void JobService::do_jobs(const std::stop_token& stop) const {
  std::unique_ptr<catalog::Catalog> rows = open(stop);
  while (rows != nullptr && !stop.stop_requested()) {
    const std::int64_t now = env_.clock.wall_ms();
    auto due = rows->has_due_job(now);
    Result<std::optional<catalog::Lease>> lease = std::optional<catalog::Lease>();
    if (due && due.value() && look_for_room()) {
      lease = rows->lease_job(holder_, now, now + kLeaseMs);
    }
    if (lease && lease.value()) {
      try {
        do_job(env_, *rows, *lease.value(), stop);
      } catch (const std::exception& error) {
        // As if this program had died there: the lease ends, and that is counted.
        env_.log.write(LogLevel::kCrit, std::string("a job: ") + error.what());
      }
    } else {
      (void)wait_for(stop, kLookEvery);
    }
    if (!rows->usable()) {
      rows = open(stop);
    }
  }
}

// Says once when there is none any more, and once when there is some again.
bool JobService::look_for_room() const {
  const bool room = has_room(env_);
  if (without_room_.exchange(!room) == room) {
    env_.log.write(room ? LogLevel::kNotice : LogLevel::kError,
                   room ? "there is room on the disk of the storage again; jobs go on"
                        : "less than min_free is left on the disk of the storage, which is for "
                          "recordings; no job is begun until there is room");
  }
  return room;
}

void JobService::sweep(catalog::Catalog& rows) const {
  give_up_events(rows);
  remove_left_folders(rows);
}

// Here, and not by who delivers: there may be no webhook any more.
void JobService::give_up_events(catalog::Catalog& rows) const {
  auto given_up = rows.prune_events(env_.clock.wall_ms() - webhook::Deliverer::kLongestMs);
  if (given_up && given_up.value() > 0) {
    env_.log.write(LogLevel::kError, "webhooks: gave up " + std::to_string(given_up.value()) +
                                         " deliveries of events that are more than a day old");
  }
}

// Of jobs whose worker was killed.
void JobService::remove_left_folders(catalog::Catalog& rows) const {
  auto names = env_.files.list(work_folder(env_.config));
  if (!names) {
    return;  // nothing was ever made
  }
  for (const std::string& name : names.value()) {
    auto leased = rows.is_leased(name, env_.clock.wall_ms());
    if (leased && !leased.value()) {
      (void)remove_tree(work_folder(env_.config) + "/" + name);
    }
  }
}

}  // namespace recording::worker
