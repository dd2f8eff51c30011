#pragma once

#include <string>

#include "api/json.hpp"
#include "recorder/timeline.hpp"

namespace recording::api {

// docs/http-api.md, "Timeline object".
// `source_url`: of the video's source.mp4; empty: null links.
Json timeline_json(const recorder::Timeline& timeline, const std::string& source_url);

}  // namespace recording::api
