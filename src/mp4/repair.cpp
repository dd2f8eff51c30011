#include "mp4/repair.hpp"

#include <utility>

#include "mp4/holes.hpp"

namespace recording::mp4 {

Status repair(storage::File& file, Scan& found, std::uint64_t intact) {
  bool changed = false;
  for (;;) {
    auto end = end_without_holes(file, found, intact);
    if (!end) {
      return std::move(end).error();
    }
    if (end.value() == found.end) {
      break;
    }
    auto again = scan(file, end.value());
    if (!again) {
      return std::move(again).error();
    }
    const std::uint64_t file_size = found.head.file_size;
    found = std::move(again).value();
    found.head.file_size = file_size;
  }
  if (found.end < found.head.file_size) {
    RECORDING_TRY(file.truncate(found.end));
    changed = true;
  }
  if (init_of(found.head) != found.init) {
    auto image = head_image(found.init, found.head.size);
    if (!image) {
      return std::move(image).error();
    }
    const iovec piece{image.value().data(), image.value().size()};
    RECORDING_TRY(file.write_at({&piece, 1}, 0));
    changed = true;
  }
  return changed ? file.sync() : ok();
}

}  // namespace recording::mp4
