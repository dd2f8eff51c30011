#pragma once

#include <string>

#include "api/json.hpp"
#include "exporter/links.hpp"
#include "recorder/timeline.hpp"

namespace recording::api {

// docs/http-api.md, "Timeline object".
// `slug`: the video's, for the links.
Json timeline_json(const recorder::Timeline& timeline, const exporter::Links& links,
                   const std::string& slug);

}  // namespace recording::api
