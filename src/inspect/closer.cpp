#include "inspect/closer.hpp"

#include <utility>

#include "mp4/recording_file.hpp"
#include "storage/cut_tail.hpp"

namespace recording::inspect {
Result<Closed> close_recording(storage::FileSystem& files, const std::string& path) {
  auto file = files.open(path);
  if (!file) {
    return std::move(file).error();
  }
  RECORDING_TRY(file.value()->claim());
  Closed closed;
  mp4::Reopening how;
  how.cut = [&](storage::File& cut, const mp4::TornTail& tail) -> Status {
    auto kept = storage::cut_and_keep(files, cut, path, tail.from);
    if (!kept) {
      return std::move(kept).error();
    }
    closed.kept = tail.bytes;
    closed.kept_path = std::move(kept).value();
    return ok();
  };
  auto recording = mp4::RecordingFile::reopen(std::move(file).value(), how);
  if (!recording) {
    return std::move(recording).error();
  }
  closed.was_finished = recording.value()->finished();
  RECORDING_TRY(recording.value()->finish());
  return closed;
}

}  // namespace recording::inspect
