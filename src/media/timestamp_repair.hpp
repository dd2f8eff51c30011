#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "media/codec.hpp"

namespace recording::media {

// Why a timestamp of the encoder was not followed; stored in files: never renumber.
// docs/file-format.md says what each means to people.
enum class RepairKind : std::uint8_t {
  kNone = 0,
  kBackward = 1,
  kForwardJump = 2,
  kReset = 3,
  kRepeated = 4,
  kNegativeCts = 5
};
inline constexpr std::size_t kRepairKinds = 6;

// The word that people read.
std::string_view name_of(RepairKind kind);

struct TimestampRepair {
  RepairKind kind = RepairKind::kNone;
  TrackKind track = TrackKind::kVideo;
  std::uint32_t count = 1;  // of this kind and track in one fragment; the rest tells of the first
  std::int64_t at_ms = 0;   // where the sample was put: of the session, in a file of the recording
  // The timestamp received, and the one it was taken for on the clock that the encoder had until
  // then: 32 bits of ms. kNegativeCts: composition times, ms.
  std::int64_t from_ms = 0, to_ms = 0;
};

// Adds it; the list keeps one of each kind and track, however many there are.
void note_repair(std::vector<TimestampRepair>& list, const TimestampRepair& repair);

}  // namespace recording::media
