#include "mp4/repair.hpp"

#include <utility>

#include "mp4/holes.hpp"
#include "mp4/torn_tail.hpp"

namespace recording::mp4 {

namespace {

Status cut_tail(storage::File& file, const Scan& found, const Reopening& how) {
  if (!how.cut) {
    return file.truncate(found.end);
  }
  auto tail = look_at_tail(file, found);
  return tail ? how.cut(file, tail.value()) : Status(std::move(tail).error());
}

}  // namespace

Status repair(storage::File& file, Scan& found, const Reopening& how) {
  bool changed = false;
  for (;;) {
    auto end = end_without_holes(file, found, how.intact);
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
    RECORDING_TRY(cut_tail(file, found, how));
    changed = true;
  }
  if (found.head.undone || init_of(found.head) != found.init) {
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
