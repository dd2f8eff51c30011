#include "media/parameter_sets.hpp"

#include <algorithm>
#include <utility>

namespace recording::media {

bool ParameterSets::put(ParameterSet set) {
  const auto at = std::find_if(sets_.begin(), sets_.end(), [&set](const ParameterSet& other) {
    return other.order == set.order && other.id == set.id;
  });
  if (at == sets_.end()) {
    const auto behind = std::upper_bound(
        sets_.begin(), sets_.end(), set,
        [](const ParameterSet& a, const ParameterSet& b) { return a.order < b.order; });
    sets_.insert(behind, std::move(set));
    return true;
  }
  if (at->nal == set.nal) {
    return false;
  }
  at->nal = std::move(set.nal);
  return true;
}

void ParameterSets::erase(std::uint8_t order, std::uint32_t id) {
  std::erase_if(sets_, [=](const ParameterSet& set) { return set.order == order && set.id == id; });
}

const ParameterSet* ParameterSets::find(std::uint8_t order, std::uint32_t id) const {
  const auto at = std::find_if(sets_.begin(), sets_.end(), [=](const ParameterSet& set) {
    return set.order == order && set.id == id;
  });
  return at == sets_.end() ? nullptr : &*at;
}

Bytes ParameterSets::missing_from(const ParameterSets& others) const {
  Bytes missing;
  for (const ParameterSet& set : sets_) {
    if (others.find(set.order, set.id) == nullptr) {
      put_u32(missing, static_cast<std::uint32_t>(set.nal.size()));
      put_bytes(missing, set.nal);
    }
  }
  return missing;
}

}  // namespace recording::media
