#include "media/parameter_json.hpp"

#include <type_traits>

namespace recording::media {

nlohmann::ordered_json parameter_json(const ParameterValue& value) {
  return std::visit(
      [](const auto& known) -> nlohmann::ordered_json {
        if constexpr (std::is_same_v<std::decay_t<decltype(known)>, std::monostate>) {
          return nullptr;
        } else {
          return known;
        }
      },
      value);
}

}  // namespace recording::media
