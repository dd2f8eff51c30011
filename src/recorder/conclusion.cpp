#include "recorder/conclusion.hpp"

#include <cerrno>

#include "mp4/head.hpp"
#include "recorder/timeline.hpp"
#include "storage/cut_tail.hpp"
#include "storage/video_layout.hpp"

namespace recording::recorder {
namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// To another file system: under a temporary name first, so that a name in storage is always whole.
Status copy_across(storage::FileSystem& files, const std::string& from, const std::string& to) {
  const std::string temporary = to + ".part";
  auto source = files.open_for_read(from);
  if (!source) {
    return std::move(source).error();
  }
  auto target = files.create(temporary);
  if (!target && target.error().code == Errc::kConflict) {
    RECORDING_TRY(files.remove(temporary));
    target = files.create(temporary);
  }
  if (!target) {
    return std::move(target).error();
  }
  if (auto copied = storage::copy_rest(*source.value(), 0, *target.value()); !copied) {
    return std::move(copied).error();
  }
  RECORDING_TRY(files.rename(temporary, to));
  // The new name must be durable before the old one goes.
  RECORDING_TRY(files.sync_directory(parent_of(to)));
  return files.remove(from);
}

// Whether `path` is a whole file of this recording: an earlier try got so far.
Result<bool> is_there_already(storage::FileSystem& files, const std::string& path,
                              const mp4::Identity& identity) {
  auto file = files.open(path);
  if (!file) {
    return file.error().code == Errc::kNotFound ? Result<bool>(false)
                                                : Result<bool>(std::move(file).error());
  }
  auto there = mp4::RecordingFile::reopen(std::move(file).value());
  if (!there) {
    return std::move(there).error();
  }
  return there.value()->finished() && there.value()->identity().slug == identity.slug;
}

Status move_to_storage(storage::FileSystem& files, const std::string& spool,
                       const std::string& storage, const mp4::Identity& identity) {
  const std::string folder = storage + "/" + storage_folder(identity);
  const std::string from = spool_path(spool, identity.slug);
  const std::string to = folder + "/source.mp4";
  RECORDING_TRY(files.make_directories(folder));
  auto there = is_there_already(files, to, identity);
  if (!there) {
    return std::move(there).error().wrap("move to storage");
  }
  Status moved = there.value() ? files.remove(from) : files.rename(from, to);
  if (!moved && moved.error().sys_errno == EXDEV) {
    moved = copy_across(files, from, to);
  }
  const bool gone = there.value() && !moved && moved.error().code == Errc::kNotFound;
  if (!moved && !gone) {
    return std::move(moved).error().wrap("move to storage");
  }
  // Every name on the way down may be new.
  for (std::string path = folder; path.size() >= storage.size(); path = parent_of(path)) {
    RECORDING_TRY(files.sync_directory(path));
  }
  (void)files.remove(spool_folder(spool, identity.slug));  // may hold a file set aside
  return ok();
}

void describe(const mp4::RecordingFile& file, Outcome& outcome) {
  outcome.duration_ms = file.duration_ms();
  outcome.size = file.length();
  if (const auto* video = file.config(media::TrackKind::kVideo); video != nullptr) {
    outcome.width = video->source.width;
    outcome.height = video->source.height;
  }
}

// One entry for each stretch between interruptions, as the file tells. It is at the first path that
// there is.
Status read_times(storage::FileSystem& files, const std::string& path, const std::string& or_else,
                  Outcome& outcome) {
  auto file = files.open_for_read(path);
  if (!file && file.error().code == Errc::kNotFound) {
    file = files.open_for_read(or_else);
  }
  if (!file) {
    return std::move(file).error();
  }
  auto timeline = read_timeline(*file.value(), outcome.size);
  if (!timeline) {
    return std::move(timeline).error();
  }
  outcome.uniform = timeline.value().uniform();
  for (const Timeline::Stretch& stretch : timeline.value().stretches) {
    const std::int64_t started = stretch.started_wall_ms != 0
                                     ? stretch.started_wall_ms
                                     : outcome.identity.started_wall_ms + stretch.start_ms;
    const std::int64_t lasted_ms = stretch.end_ms - stretch.start_ms;
    outcome.times.push_back({started, static_cast<double>(lasted_ms) / 1000.0});
    outcome.ended_wall_ms = started + lasted_ms;
  }
  return ok();
}

// It was moved, and a power cut took its moov (recording_sync off).
Status finish_again(storage::FileSystem& files, const std::string& path) {
  auto file = files.open(path);
  if (!file) {
    return std::move(file).error();
  }
  auto recording = mp4::RecordingFile::reopen(std::move(file).value());
  return recording ? recording.value()->finish() : Status(std::move(recording).error());
}

}  // namespace

std::string storage_folder(const mp4::Identity& identity) {
  return storage::video_folder(identity.app, identity.stream, identity.started_wall_ms,
                               identity.slug);
}

Status remove_recording(storage::FileSystem& files, const std::string& spool,
                        const std::string& slug) {
  if (Status removed = files.remove(spool_path(spool, slug));
      !removed && removed.error().code != Errc::kNotFound) {
    return removed;
  }
  (void)files.remove(spool_folder(spool, slug));  // may hold a file set aside
  return files.sync_directory(spool);
}

Result<Outcome> conclude(storage::FileSystem& files, const std::string& spool,
                         const std::string& storage, const mp4::Identity& identity,
                         RecordingWriter* writer) {
  Outcome outcome;
  outcome.identity = identity;
  if (writer == nullptr) {
    outcome.error = "nothing_received";
    return outcome;
  }
  describe(writer->file(), outcome);
  if (writer->file().media_ms() < identity.min_duration_ms && !writer->file().finished()) {
    outcome.error = "too_short";
    const std::string path = spool_path(spool, identity.slug);
    // Not there: an earlier try removed it, and failed afterwards.
    if (Status read = read_times(files, path, path, outcome);
        !read && read.error().code != Errc::kNotFound) {
      return std::move(read).error();
    }
    outcome.size = 0;
    RECORDING_TRY(remove_recording(files, spool, identity.slug));
    return outcome;
  }
  RECORDING_TRY(writer->finish());
  describe(writer->file(), outcome);
  if (Status read = read_times(files, spool_path(spool, identity.slug),
                               storage + "/" + storage_folder(identity) + "/source.mp4", outcome);
      !read) {
    if (read.error().code != Errc::kNotFound) {
      return std::move(read).error();
    }
    outcome.error = "removed";  // by somebody, while it was open
    outcome.size = 0;
    return outcome;
  }
  RECORDING_TRY(move_to_storage(files, spool, storage, identity));
  outcome.path = storage_folder(identity);
  return outcome;
}

Result<Outcome> concluded_before(storage::FileSystem& files, const std::string& storage,
                                 const mp4::Identity& identity) {
  const std::string path = storage + "/" + storage_folder(identity) + "/source.mp4";
  auto outcome = read_outcome(files, path);
  if (!outcome && outcome.error().code == Errc::kConflict) {
    RECORDING_TRY(finish_again(files, path));
    outcome = read_outcome(files, path);
  }
  if (outcome) {
    outcome.value().identity = identity;
    outcome.value().path = storage_folder(identity);
  }
  return outcome;
}

Result<Outcome> read_outcome(storage::FileSystem& files, const std::string& path) {
  auto file = files.open_for_read(path);
  if (!file) {
    return std::move(file).error();
  }
  auto head = mp4::read_head(*file.value());
  if (!head) {
    return std::move(head).error();
  }
  if (!head.value().finished) {
    return Error{Errc::kConflict, path + ": it is not finished"};
  }
  auto recording = mp4::RecordingFile::reopen(std::move(file).value());
  if (!recording) {
    return std::move(recording).error();
  }
  Outcome outcome;
  outcome.identity = recording.value()->identity();
  describe(*recording.value(), outcome);
  RECORDING_TRY(read_times(files, path, path, outcome));
  return outcome;
}

}  // namespace recording::recorder
