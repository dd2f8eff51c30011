#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"

namespace recording::media {

// One parameter set of H.264 or H.265, as a NAL unit without its length.
struct ParameterSet {
  std::uint8_t order = 0;  // where its kind belongs: VPS before SPS before PPS
  std::uint32_t id = 0;    // among those of its kind
  Bytes nal;
  bool operator==(const ParameterSet&) const = default;
};

// The parameter sets that a decoder has: a later one takes the place of the one of its kind and id
// (H.264, 7.4.1.2.1; H.265, 7.4.2.4.2). In the order in which they must stand in a sample.
class ParameterSets {
 public:
  // True: something is other than before.
  bool put(ParameterSet set);
  void erase(std::uint8_t order, std::uint32_t id);
  [[nodiscard]] const ParameterSet* find(std::uint8_t order, std::uint32_t id) const;
  [[nodiscard]] const std::vector<ParameterSet>& all() const { return sets_; }
  // Those that `others` has none of the same kind and id for, each behind a 4-byte length.
  [[nodiscard]] Bytes missing_from(const ParameterSets& others) const;

  bool operator==(const ParameterSets&) const = default;

 private:
  std::vector<ParameterSet> sets_;
};

}  // namespace recording::media
