#pragma once

#include "api/json.hpp"
#include "recorder/timeline.hpp"

namespace recording::api {

// docs/http-api.md, "Timeline object".
Json timeline_json(const recorder::Timeline& timeline);

}  // namespace recording::api
