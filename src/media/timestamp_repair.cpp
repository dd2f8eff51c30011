#include "media/timestamp_repair.hpp"

#include <algorithm>
#include <array>

namespace recording::media {

std::string_view name_of(RepairKind kind) {
  static constexpr std::array<std::string_view, kRepairKinds> kNames = {
      "unknown", "backward", "forward_jump", "reset", "repeated", "negative_cts"};
  const auto index = static_cast<std::size_t>(kind);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

void note_repair(std::vector<TimestampRepair>& list, const TimestampRepair& repair) {
  const auto same = std::find_if(list.begin(), list.end(), [&](const TimestampRepair& earlier) {
    return earlier.kind == repair.kind && earlier.track == repair.track;
  });
  if (same == list.end()) {
    list.push_back(repair);
  } else {
    same->count += repair.count;
  }
}

}  // namespace recording::media
