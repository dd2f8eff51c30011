#pragma once

#include "api/api.hpp"
#include "api/json.hpp"

namespace recording::api {

// What GET /space answers.
Json space_json(Backend& backend);

}  // namespace recording::api
