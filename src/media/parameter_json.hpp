#pragma once

#include <nlohmann/json.hpp>

#include "media/parameter_list.hpp"

namespace recording::media {

// null for nothing.
nlohmann::ordered_json parameter_json(const ParameterValue& value);

}  // namespace recording::media
