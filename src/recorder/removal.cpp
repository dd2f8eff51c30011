#include "recorder/removal.hpp"

#include <cerrno>
#include <utility>

#include "recorder/events.hpp"
#include "recorder/recording_writer.hpp"

namespace recording::recorder {
namespace {

// In one look; the next one follows when these are gone.
constexpr std::int64_t kMostVideos = 100;
constexpr std::int64_t kRetryMs = 60'000;
constexpr int kMostTries = 10;

Status remove_folder(storage::FileSystem& files, const std::string& folder) {
  for (int tries = 1;; ++tries) {
    auto names = files.list(folder);
    if (!names) {
      return names.error().code == Errc::kNotFound ? ok() : Status(std::move(names).error());
    }
    for (const std::string& name : names.value()) {
      Status removed = files.remove(folder + "/" + name);
      if (!removed && removed.error().code != Errc::kNotFound) {  // somebody else was faster
        return removed;
      }
    }
    Status removed = files.remove(folder);
    if (removed || removed.error().code == Errc::kNotFound) {
      return ok();
    }
    // recording-worker may have put what it made there meanwhile.
    if (tries == kMostTries || removed.error().sys_errno != ENOTEMPTY) {
      return removed;
    }
  }
}

}  // namespace

void remove_files(Environment& environment, const catalog::VideoRow& row,
                  std::function<void(Status)> then) {
  const std::string folder = row.path.empty() ? spool_folder(environment.spool, row.slug)
                                              : environment.storage + "/" + row.path;
  const bool posted = post(
      environment.finish,
      [&files = environment.files, folder]() { return remove_folder(files, folder); },
      [&environment, slug = row.slug, path = row.path, then](Status removed) {
        if (removed) {
          environment.catalog.write(
              [slug, path](catalog::Catalog& catalog) { return catalog.files_removed(slug, path); },
              [](Status) {});  // removed once more, which does no harm
        }
        then(std::move(removed));
      });
  if (!posted) {
    then(Error{Errc::kUnavailable, "too much file work is waiting"});
  }
}

Deletion::Deletion(const Environment& environment, const char* reason)
    : Deletion(environment.events.webhooks(), reason, environment.clock.wall_ms()) {}

catalog::EventRow Deletion::event(const catalog::VideoRow& row) const {
  return make_event("video.deleted", {{}, {}, row.stream_id},
                    {{"recording_id", row.slug},
                     {"video_id", row.id},
                     {"name", row.name},
                     {"size", row.origin_size},
                     {"reason", reason_}},
                    wall_ms_);
}

Result<catalog::VideoRow> Deletion::remove_row(catalog::Catalog& catalog, std::int64_t id) const {
  return catalog.delete_video(id, [this](const catalog::VideoRow& row) {
    return catalog::Outbox{{event(row)}, webhooks_};
  });
}

void Deletion::write_to(Log& log, const catalog::VideoRow& deleted) const {
  log.write(LogLevel::kNotice, "event " + event(deleted).body);
}

void Retention::tick() {
  if (looking_ || removing_ != 0 || env_.clock.monotonic_ms() < not_before_ms_) {
    return;
  }
  looking_ = true;
  const std::int64_t ended_before = env_.keep_ms > 0 ? env_.clock.wall_ms() - env_.keep_ms : 0;
  env_.catalog.write([ended_before, deletion = Deletion(env_, "keep")](
                         catalog::Catalog& rows) { return look(rows, ended_before, deletion); },
                     [this, alive = alive_](Result<Found> found) {
                       if (!*alive) {
                         return;
                       }
                       looking_ = false;
                       if (found) {
                         remove(found.value());
                       }
                     });
}

Result<Retention::Found> Retention::look(catalog::Catalog& catalog, std::int64_t ended_before,
                                         const Deletion& deletion) {
  Found found{deletion, {}, {}};
  auto left = catalog.deleted_with_files(kMostVideos);
  if (!left) {
    return std::move(left).error();
  }
  found.left = std::move(left).value();
  if (ended_before <= 0) {
    return found;
  }
  auto ids = catalog.videos_ended_before(ended_before, kMostVideos);
  if (!ids) {
    return std::move(ids).error();
  }
  for (const std::int64_t id : ids.value()) {
    auto row = deletion.remove_row(catalog, id);
    if (row) {
      found.deleted.push_back(std::move(row).value());
    } else if (row.error().code != Errc::kNotFound) {
      break;  // those that were deleted must be told of, and their files removed
    }
  }
  return found;
}

void Retention::remove(const Found& found) {
  for (const catalog::VideoRow& row : found.deleted) {
    found.deletion.write_to(env_.log, row);
  }
  for (const auto* rows : {&found.deleted, &found.left}) {
    for (const catalog::VideoRow& row : *rows) {
      ++removing_;
      remove_files(env_, row, [this, alive = alive_, slug = row.slug](Status removed) {
        if (!*alive) {
          return;
        }
        --removing_;
        if (!removed) {
          not_before_ms_ = env_.clock.monotonic_ms() + kRetryMs;
          env_.log.write(LogLevel::kError, "files of the deleted video " + slug + ": " +
                                               removed.error().message + "; trying again");
        }
      });
    }
  }
}

}  // namespace recording::recorder
