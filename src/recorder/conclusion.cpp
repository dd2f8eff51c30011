#include "recorder/conclusion.hpp"

#include <cerrno>

#include "base/strings.hpp"
#include "mp4/recording_reader.hpp"

namespace recording::recorder {
namespace {

constexpr std::size_t kCopyBlock = 1 << 20;

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
  Bytes block(kCopyBlock);
  for (std::uint64_t at = 0;;) {
    auto got = source.value()->read_at(block, at);
    if (!got) {
      return std::move(got).error();
    }
    if (got.value() == 0) {
      break;
    }
    const iovec piece{block.data(), got.value()};
    RECORDING_TRY(target.value()->write_at({&piece, 1}, at));
    at += got.value();
  }
  RECORDING_TRY(target.value()->sync());
  RECORDING_TRY(files.rename(temporary, to));
  return files.remove(from);
}

Status move_to_storage(storage::FileSystem& files, const std::string& spool,
                       const std::string& storage, const mp4::Identity& identity) {
  const std::string folder = storage + "/" + storage_folder(identity);
  const std::string from = spool_path(spool, identity.slug);
  const std::string to = folder + "/source.mp4";
  RECORDING_TRY(files.make_directories(folder));
  Status moved = files.rename(from, to);
  if (!moved && moved.error().sys_errno == EXDEV) {
    moved = copy_across(files, from, to);
  }
  if (!moved && moved.error().code != Errc::kNotFound) {
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
    outcome.width = video->width;
    outcome.height = video->height;
  }
}

// One entry for each stretch between interruptions, as the marks in the file tell.
Status read_times(storage::FileSystem& files, const std::string& path, Outcome& outcome) {
  auto file = files.open_for_read(path);
  if (!file) {
    return std::move(file).error();
  }
  std::int64_t began_ms = 0;
  bool open = false;
  const auto close_stretch = [&](std::int64_t end_ms) {
    if (open) {
      outcome.times.back().duration_seconds = static_cast<double>(end_ms - began_ms) / 1000.0;
    }
  };
  mp4::NoteVisitor visitor;
  visitor.on_mark = [&](const mp4::MarkNote& note) {
    if (note.mark.kind != mp4::MarkKind::kBegin) {
      return;
    }
    close_stretch(note.position_ms);
    open = true;
    began_ms = note.position_ms;
    const std::int64_t started = note.mark.ended_wall_ms != 0
                                     ? note.mark.ended_wall_ms
                                     : outcome.identity.started_wall_ms + note.position_ms;
    outcome.times.push_back({started, 0});
  };
  int epochs = 0;
  visitor.on_epoch = [&](const mp4::EpochNote&) { ++epochs; };
  RECORDING_TRY(mp4::read_notes(*file.value(), outcome.size, visitor));
  outcome.uniform = epochs <= 1;
  close_stretch(outcome.duration_ms);
  if (!outcome.times.empty()) {
    const catalog::RecordingTime& last = outcome.times.back();
    outcome.ended_wall_ms =
        last.started_at + static_cast<std::int64_t>(last.duration_seconds * 1000.0);
  }
  return ok();
}

}  // namespace

std::string storage_folder(const mp4::Identity& identity) {
  return path_component(identity.app) + "/" + path_component(identity.stream) + "/" +
         iso_date(identity.started_wall_ms) + "/" + identity.slug;
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
  // The last part of a divided broadcast is kept however short it is.
  if (outcome.duration_ms < identity.min_duration_ms && identity.sequence <= 1 &&
      !writer->file().finished()) {
    outcome.error = "too_short";
    RECORDING_TRY(read_times(files, spool_path(spool, identity.slug), outcome));
    outcome.size = 0;
    RECORDING_TRY(files.remove(spool_path(spool, identity.slug)));
    (void)files.remove(spool_folder(spool, identity.slug));
    RECORDING_TRY(files.sync_directory(spool));
    return outcome;
  }
  RECORDING_TRY(writer->finish());
  describe(writer->file(), outcome);
  RECORDING_TRY(read_times(files, spool_path(spool, identity.slug), outcome));
  RECORDING_TRY(move_to_storage(files, spool, storage, identity));
  outcome.path = storage_folder(identity);
  return outcome;
}

Result<Outcome> concluded_before(storage::FileSystem& files, const std::string& storage,
                                 const mp4::Identity& identity) {
  const std::string path = storage + "/" + storage_folder(identity) + "/source.mp4";
  auto file = files.open(path);
  if (!file) {
    return std::move(file).error();
  }
  auto recording = mp4::RecordingFile::reopen(std::move(file).value());
  if (!recording) {
    return std::move(recording).error();
  }
  Outcome outcome;
  outcome.identity = identity;
  outcome.path = storage_folder(identity);
  describe(*recording.value(), outcome);
  RECORDING_TRY(read_times(files, path, outcome));
  return outcome;
}

}  // namespace recording::recorder
