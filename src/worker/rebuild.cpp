#include "worker/rebuild.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "config/offered_renditions.hpp"
#include "exporter/video_path.hpp"
#include "recorder/outcome_row.hpp"
#include "recorder/recording.hpp"

namespace recording::worker {
namespace {

using catalog::RenditionRow;
using recorder::Outcome;

constexpr std::string_view kExtension = ".mp4";

class Rebuild {
 public:
  Rebuild(const config::Config& config, storage::FileSystem& files, catalog::Catalog& rows,
          Log& log)
      : config_(config), files_(files), rows_(rows), log_(log) {}

  Result<Rebuilt> run() {
    if (auto listed = files_.list(config_.storage); !listed) {
      return std::move(listed).error();
    }
    RECORDING_TRY(find({}, 0));
    RECORDING_TRY(keep_ids());
    // A part of a divided recording is not the last one when a later one is there already. Those
    // without an id get one that no other has.
    std::sort(found_.begin(), found_.end(), [](const Outcome& a, const Outcome& b) {
      const auto order = [](const Outcome& one) {
        return std::tuple(one.identity.video_id != 0, one.identity.started_wall_ms,
                          one.identity.sequence);
      };
      return order(a) > order(b);
    });
    for (const Outcome& outcome : found_) {
      RECORDING_TRY(put(outcome));
    }
    return done_;
  }

 private:
  // Of a folder in the storage; those that may be of videos. A file has none.
  std::vector<std::string> names_in(const std::string& path) {
    auto names = files_.list(config_.storage + "/" + path);
    if (!names) {
      if (names.error().sys_errno != ENOTDIR) {
        tell_unreadable(path, names.error());
      }
      return {};
    }
    std::erase_if(names.value(), [](const std::string& name) { return name.starts_with('.'); });
    return std::move(names).value();
  }

  void tell_unreadable(const std::string& path, const Error& why) {
    ++done_.unreadable;
    log_.write(LogLevel::kError, path + ": " + why.message);
  }

  // {app}/{stream}/{date}/{slug}: storage/video_layout.hpp.
  Status find(const std::string& path, int depth) {
    constexpr int kDepth = 4;
    for (const std::string& name : names_in(path)) {
      const std::string inner = path.empty() ? name : path + "/" + name;
      RECORDING_TRY(depth + 1 < kDepth        ? find(inner, depth + 1)
                    : exporter::is_slug(name) ? look(inner, name)
                                              : ok());
    }
    return ok();
  }

  Status look(const std::string& path, const std::string& slug) {
    auto row = rows_.video_by_slug(slug);
    if (!row && row.error().code != Errc::kNotFound) {
      return std::move(row).error();
    }
    auto deleted = rows_.was_deleted(slug);
    if (!deleted) {
      return std::move(deleted).error();
    }
    if (row || deleted.value()) {
      ++done_.known;
      return ok();
    }
    auto outcome = read(path, slug, "source.mp4");
    if (!outcome) {
      if (outcome.error().code != Errc::kNotFound) {
        tell_unreadable(path + "/source.mp4", outcome.error());
      }
      return ok();
    }
    outcome.value().path = path;
    found_.push_back(std::move(outcome).value());
    return ok();
  }

  Result<Outcome> read(const std::string& path, const std::string& slug, const std::string& name) {
    auto outcome = recorder::read_outcome(files_, config_.storage + "/" + path + "/" + name);
    if (outcome && outcome.value().identity.slug != slug) {
      return Error{Errc::kCorrupt, "it is of another recording"};
    }
    return outcome;
  }

  // New ids are behind those of the files.
  Status keep_ids() {
    std::int64_t highest = 0;
    for (const Outcome& outcome : found_) {
      highest = std::max(highest, outcome.identity.video_id);
    }
    auto next = rows_.lease_video_ids(1);
    if (next && next.value().end <= highest) {
      next = rows_.lease_video_ids(highest + 1 - next.value().end);
    }
    return next ? ok() : Status(std::move(next).error());
  }

  // The qualities beside the source, the best first, as they are mostly asked for.
  std::vector<RenditionRow> qualities_of(const Outcome& video) {
    std::vector<RenditionRow> found;
    for (const std::string& name : names_in(video.path)) {
      const std::string quality =
          name.substr(0, name.size() - std::min(name.size(), kExtension.size()));
      if (name == "source.mp4" || !name.ends_with(kExtension) ||
          !exporter::is_quality_name(quality)) {
        continue;
      }
      if (auto made = read(video.path, video.identity.slug, name); made) {
        found.push_back(rendition(made.value(), quality));
      }
    }
    std::sort(found.begin(), found.end(), [](const RenditionRow& a, const RenditionRow& b) {
      return std::tuple(a.height, a.video_bps, a.name) > std::tuple(b.height, b.video_bps, b.name);
    });
    return found;
  }

  // Its qualities first: should this end in between, the next time does both.
  Status put(const Outcome& outcome) {
    for (const RenditionRow& quality : qualities_of(outcome)) {
      RECORDING_TRY(rows_.put_rendition(quality));
    }
    catalog::VideoRow row = recorder::row_of(outcome.identity);
    recorder::describe_outcome(outcome, row);
    row.stream_id = 0;  // the number that the other catalogue had
    row.created_at = row.recording_started_at;
    RECORDING_TRY(recorder::put_recording_row(rows_, outcome.identity, row));
    ++done_.put;
    return ok();
  }

  RenditionRow rendition(const Outcome& made, std::string name) const {
    RenditionRow row;
    row.slug = made.identity.slug;
    row.name = std::move(name);
    row.width = made.width;
    row.height = made.height;
    row.size = static_cast<std::int64_t>(made.size);
    row.duration_ms = made.duration_ms;
    row.status = "complete";
    for (const auto& setting : config::offered_renditions(config_)) {
      if (setting.name == row.name) {
        row.video_bps = setting.video_bps;
        row.audio_bps = setting.audio_bps;
      }
    }
    return row;
  }

  const config::Config& config_;
  storage::FileSystem& files_;
  catalog::Catalog& rows_;
  Log& log_;
  std::vector<Outcome> found_;
  Rebuilt done_;
};

}  // namespace

Result<Rebuilt> rebuild_catalog(const config::Config& config, storage::FileSystem& files,
                                catalog::Catalog& rows, Log& log) {
  return Rebuild(config, files, rows, log).run();
}

}  // namespace recording::worker
