#include "worker/video_job.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "config/values.hpp"
#include "exporter/video_location.hpp"
#include "recorder/event_row.hpp"

namespace recording::worker {
namespace {

using catalog::JobEnd;
using catalog::RenditionRow;

// Progress is written at most so often, and the lease is extended at least so often: that is also
// how it is learned that the video was deleted.
constexpr std::int64_t kProgressMs = 1000, kExtendMs = 2000;
constexpr std::array<std::int64_t, kMostFailures - 1> kPausesMs = {10'000, 60'000, 600'000,
                                                                   3'600'000};

// No room, a disk that fails, ffmpeg that cannot be run, the catalogue away: that passes, or a
// person mends it, and no recording is to be given up for it.
bool is_of_machine(Errc code) {
  return code == Errc::kNoSpace || code == Errc::kIo || code == Errc::kUnavailable;
}

std::vector<RenditionRow> rows_of(const std::vector<transcode::RenditionSetting>& settings) {
  std::vector<RenditionRow> rows;
  for (const transcode::RenditionSetting& setting : settings) {
    RenditionRow& row = rows.emplace_back();
    row.name = setting.name;
    row.video_bps = setting.video_bps;
    row.audio_bps = setting.audio_bps;
  }
  return rows;
}

std::vector<transcode::RenditionSetting> settings_of(const std::vector<RenditionRow>& rows) {
  std::vector<transcode::RenditionSetting> settings;
  for (const RenditionRow& row : rows) {
    settings.push_back({row.name, config::parse_height(row.name), row.video_bps, row.audio_bps});
  }
  return settings;
}

// Tells the catalogue how far it is, and the processor when to stop.
class Progress final : public processing::Observer {
 public:
  Progress(const JobEnvironment& env, catalog::Catalog& rows, const std::string& lease,
           std::stop_token stop)
      : env_(env), rows_(rows), lease_(lease), stop_(std::move(stop)) {}

  void progressed(double part) override {
    percent_ = std::clamp<std::int64_t>(std::llround(part * 100), 0, 99);
    look();
  }
  bool cancelled() override {
    look();
    return stop_.stop_requested() || lost_ || without_room_;
  }
  // The video was deleted, or somebody else has the job.
  [[nodiscard]] bool lost() const { return lost_; }
  // What is left of the disk is kept for recordings.
  [[nodiscard]] bool without_room() const { return without_room_; }

 private:
  void look() {
    const std::int64_t now = env_.clock.monotonic_ms();
    const std::int64_t since = now - told_ms_;
    if (lost_ || since < (percent_ != told_percent_ ? kProgressMs : kExtendMs)) {
      return;
    }
    told_ms_ = now;
    told_percent_ = percent_;
    without_room_ = without_room_ || !has_room(env_);
    const Status extended = rows_.extend_job(lease_, env_.clock.wall_ms() + kLeaseMs, percent_);
    // While the catalogue is away it goes on: the end of the job shows whose it is.
    lost_ = !extended && Status(extended).error().code == Errc::kNotFound;
  }

  const JobEnvironment& env_;
  catalog::Catalog& rows_;
  const std::string& lease_;
  const std::stop_token stop_;
  std::int64_t percent_ = 0, told_percent_ = -1, told_ms_ = 0;
  bool lost_ = false, without_room_ = false;
};

// Everything that is made, under the names that it is to have, into the video's folder.
Status move_files(storage::FileSystem& files, const std::string& from, const std::string& to) {
  auto names = files.list(from);
  if (!names) {
    return std::move(names).error();
  }
  for (const std::string& name : names.value()) {
    if (name.starts_with('.')) {
      continue;
    }
    const std::string target = to + "/" + name;
    if (Status removed = files.remove(target);
        !removed && removed.error().code != Errc::kNotFound) {
      return removed;
    }
    RECORDING_TRY(files.rename(from + "/" + name, target));
  }
  return files.sync_directory(to);
}

class VideoJob {
 public:
  VideoJob(const JobEnvironment& env, catalog::Catalog& rows, const catalog::Lease& lease,
           const std::stop_token& stop)
      : env_(env),
        rows_(rows),
        lease_(lease),
        stop_(stop),
        folder_(work_folder(env.config) + "/" + lease.id),
        began_ms_(env.clock.monotonic_ms()) {}
  ~VideoJob() { (void)remove_tree(folder_); }
  VideoJob(const VideoJob&) = delete;
  VideoJob& operator=(const VideoJob&) = delete;

  void run();

 private:
  Status find_folder();
  Status prepare();
  void take(processing::Outcome outcome);
  void fail(std::string why);
  [[nodiscard]] std::vector<RenditionRow> wanted_of_unread() const;
  [[nodiscard]] std::int64_t again_at() const;
  Status publish();
  void finish();
  [[nodiscard]] catalog::Outbox tell(const catalog::VideoRow& video) const;
  void give_back();
  [[nodiscard]] std::string source() const { return video_folder_ + "/source.mp4"; }
  [[nodiscard]] std::string title() const {
    return "video " + std::to_string(lease_.video.id) + " (" + lease_.video.slug + ")";
  }

  const JobEnvironment& env_;
  catalog::Catalog& rows_;
  const catalog::Lease& lease_;
  const std::stop_token& stop_;
  const std::string folder_;
  const std::int64_t began_ms_;
  std::string video_folder_;  // empty: it is not known
  std::vector<RenditionRow> wanted_;
  JobEnd end_;
  bool made_ = false;   // there may be files
  bool final_ = false;  // trying again cannot help
};

Status VideoJob::find_folder() {
  auto location = exporter::locate_video({env_.config.spool, env_.config.storage}, lease_.video);
  if (!location) {
    return std::move(location).error();
  }
  video_folder_ = location.value().folders.front();
  return ok();
}

// Errors: kNotFound as of begin_job(); else why nothing can be made.
Status VideoJob::prepare() {
  auto fitting = env_.processor.fitting(source(), env_.config.renditions);
  if (!fitting) {
    return std::move(fitting).error();
  }
  RECORDING_TRY(env_.files.make_directories(folder_));
  auto wanted = rows_.begin_job(lease_.id, rows_of(fitting.value()));
  if (!wanted) {
    return std::move(wanted).error();
  }
  wanted_ = std::move(wanted).value();
  return ok();
}

void VideoJob::run() {
  if (lease_.deaths > kMostDeaths) {
    final_ = true;
    fail("recording-worker died " + std::to_string(lease_.deaths) +
         " times while it worked on this video; look into its log and the kernel's for why");
    return finish();
  }
  Status prepared = find_folder();
  if (prepared) {
    prepared = prepare();
  }
  Progress progress(env_, rows_, lease_.id, stop_);
  if (prepared) {
    const bool pictures = !lease_.video.pictures.poster;
    auto outcome = env_.processor.process({source(), folder_, settings_of(wanted_), pictures,
                                           env_.config.ffmpeg, env_.config.launcher},
                                          progress);
    if (stop_.stop_requested() && !outcome) {
      return give_back();
    }
    if (outcome) {
      take(std::move(outcome).value());
    } else if (progress.without_room()) {
      prepared = Error{Errc::kNoSpace,
                       "less than min_free is left on the disk of the storage; make room there"};
    } else {
      prepared = std::move(outcome).error();
    }
  }
  if (!prepared && !progress.lost()) {
    final_ = prepared.error().code == Errc::kCorrupt;
    end_.of_machine = is_of_machine(prepared.error().code);
    fail(prepared.error().message);
  }
  if (!progress.lost()) {
    finish();
  }
}

void VideoJob::take(processing::Outcome outcome) {
  made_ = true;
  const std::size_t count = std::min(wanted_.size(), outcome.renditions.size());
  for (std::size_t i = 0; i < count; ++i) {
    const processing::Rendition& made = outcome.renditions[i];
    RenditionRow& row = end_.renditions.emplace_back(wanted_[i]);
    row.error = made.error;
    if (!made.error.empty()) {
      end_.error += (end_.error.empty() ? "" : "; ") + made.name + ": " + made.error;
      continue;
    }
    row.status = "complete";
    row.error = outcome.missing;
    row.width = made.width;
    row.height = made.height;
    row.size = static_cast<std::int64_t>(made.size);
    row.duration_ms = made.duration_ms;
  }
  if (!lease_.video.pictures.poster) {
    const processing::Pictures& made = outcome.pictures;
    end_.pictures = {made.poster, made.screenshots, made.sprite};
    if (!made.error.empty()) {
      end_.error += (end_.error.empty() ? "pictures: " : "; pictures: ") + made.error;
    }
  }
  if (!outcome.missing.empty()) {
    end_.missing = "partly_unreadable: " + outcome.missing;
  }
}

// What the configuration wants of a recording that could not be read, as far as its row tells its
// size.
std::vector<RenditionRow> VideoJob::wanted_of_unread() const {
  const std::int64_t side = std::min(lease_.video.width, lease_.video.height);
  std::vector<transcode::RenditionSetting> wanted;
  std::copy_if(env_.config.renditions.begin(), env_.config.renditions.end(),
               std::back_inserter(wanted), [side](const transcode::RenditionSetting& setting) {
                 return side == 0 || setting.height <= side;
               });
  return rows_of(wanted);
}

std::int64_t VideoJob::again_at() const {
  const std::int64_t now = env_.clock.wall_ms();
  if (end_.of_machine) {
    return retry_at(std::min<std::int64_t>(lease_.faults, kPausesMs.size() - 1), now);
  }
  return final_ ? 0 : retry_at(lease_.failures, now);
}

void VideoJob::fail(std::string why) {
  end_.error = std::move(why);
  if (wanted_.empty()) {
    // It did not come so far as to ask for them; what was asked for by hand fails with it, and,
    // once it is given up, what nobody will ask for any more.
    const bool given_up = again_at() == 0;
    if (auto wanted =
            rows_.begin_job(lease_.id, given_up ? wanted_of_unread() : std::vector<RenditionRow>());
        wanted) {
      wanted_ = std::move(wanted).value();
    }
  }
  end_.renditions = wanted_;
  for (RenditionRow& row : end_.renditions) {
    row.error = end_.error;
  }
}

// What the world is told when it is over: the video is ready, or lacks something for good.
catalog::Outbox VideoJob::tell(const catalog::VideoRow& video) const {
  const bool failed = !end_.error.empty();
  if (failed ? end_.retry_at != 0 : video.status != "ready") {
    return {};
  }
  recorder::EventFacts facts = {{"recording_id", video.slug}, {"video_id", video.id}};
  if (!video.error.empty()) {
    facts.emplace_back("error", video.error);
  }
  catalog::EventRow event =
      recorder::make_event(failed ? "video.error" : "video.ready", {{}, {}, video.stream_id}, facts,
                           env_.clock.wall_ms());
  env_.log.write(LogLevel::kNotice, "event " + event.body);
  return {{std::move(event)}, config::webhook_urls(env_.config)};
}

// Before the catalogue says that it is there, and without its lock, for a disk may be slow: files
// without a row do no harm, and the next try takes their place. Should the video be deleted
// meanwhile, its folder is gone, or cannot go before these have.
Status VideoJob::publish() {
  if (!made_) {
    return ok();
  }
  // It is nobody else's for as long as that takes.
  RECORDING_TRY(rows_.extend_job(lease_.id, env_.clock.wall_ms() + kLeaseMs, 99));
  return move_files(env_.files, folder_, video_folder_);
}

void VideoJob::finish() {
  if (Status published = publish(); !published) {
    end_ = {};
    end_.of_machine = true;
    fail(published.error().message);
  }
  if (!end_.error.empty()) {
    end_.retry_at = again_at();
  }
  end_.tell = [this](const catalog::VideoRow& video) { return tell(video); };
  end_.took_ms = env_.clock.monotonic_ms() - began_ms_;
  auto video = rows_.end_job(lease_.id, end_);
  if (!video) {
    if (video.error().code != Errc::kNotFound) {  // not found: cancelled, or somebody else's
      env_.log.write(LogLevel::kError, title() + ": " + video.error().message +
                                           "; what was made is lost, and is made again");
      give_back();
    }
    return;
  }
  if (end_.error.empty()) {
    env_.log.write(LogLevel::kNotice, title() + " is " + video.value().status + ", after " +
                                          std::to_string(end_.took_ms) + " ms");
    return;
  }
  env_.log.write(LogLevel::kError,
                 title() + ": " + end_.error +
                     (end_.retry_at != 0
                          ? "; it is tried again in " +
                                std::to_string((end_.retry_at - env_.clock.wall_ms()) / 1000) + " s"
                          : "; it is given up"));
}

void VideoJob::give_back() {
  if (Status given = rows_.give_back_job(lease_.id);
      !given && given.error().code != Errc::kNotFound) {
    env_.log.write(LogLevel::kWarn, title() + " could not be given back: " + given.error().message +
                                        "; its lease will end");
  }
}

}  // namespace

std::string work_folder(const config::Config& config) { return config.storage + "/.processing"; }

bool has_room(const JobEnvironment& environment) {
  const auto enough = [&environment](const std::string& folder) {
    auto free_bytes = environment.files.free_bytes(folder);
    // One that is not there yet is made in the other; any other error is the job's to meet.
    return !free_bytes ||
           free_bytes.value() >= static_cast<std::uint64_t>(environment.config.min_free_bytes);
  };
  return enough(environment.config.storage) && enough(work_folder(environment.config));
}

Status remove_tree(const std::string& folder) {
  std::error_code fault;
  std::filesystem::remove_all(folder, fault);
  return fault
             ? Status(Error{Errc::kIo, "remove " + folder + ": " + fault.message(), fault.value()})
             : ok();
}

std::int64_t retry_at(std::int64_t failures, std::int64_t now_ms) {
  return failures < static_cast<std::int64_t>(kPausesMs.size())
             ? now_ms + kPausesMs[static_cast<std::size_t>(failures)]
             : 0;
}

void do_job(const JobEnvironment& environment, catalog::Catalog& rows, const catalog::Lease& lease,
            const std::stop_token& stop) {
  VideoJob(environment, rows, lease, stop).run();
}

}  // namespace recording::worker
