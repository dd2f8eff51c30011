// A file of anybody's making is opened, goes on, is finished and read: never a crash, never more
// memory or time than its own size justifies. The first byte says whether checksums are mended.
#include <memory>

#include "mp4/recording_file.hpp"
#include "mp4_bytes_file.hpp"
#include "mp4_mend.hpp"
#include "recorder/timeline.hpp"

using namespace recording;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  Bytes bytes(data + 1, data + size);
  if ((data[0] & 1U) != 0) {
    test::mend_checksums(bytes);
  }
  auto owned = std::make_unique<test::BytesFile>(bytes);
  test::BytesFile& file = *owned;
  auto reopened = mp4::RecordingFile::reopen(std::move(owned));
  if (!reopened) {
    return 0;
  }
  mp4::RecordingFile& recording = *reopened.value();
  const bool was_finished = recording.finished();
  (void)recording.duration_ms();
  (void)recorder::read_timeline(file, recording.length());
  if (recording.finish() && !was_finished) {
    (void)recorder::read_timeline(file, 0);
    auto again = mp4::RecordingFile::reopen(std::make_unique<test::BytesFile>(file.bytes()));
    if (!again || !again.value()->finished()) {
      __builtin_trap();  // what finish() says is done must be done
    }
  }
  return 0;
}
