#pragma once

#include <string>

#include "api/json.hpp"
#include "runtime/records.hpp"

namespace recording::api {

// The live playback of a stream's session; null and empty where it has none. `stream`: a copy.

Json frozen_json(const runtime::StreamRecord& stream);
Json measured_json(const runtime::StreamRecord& stream);
Json drift_json(const runtime::StreamRecord& stream);
Json transcoder_json(const runtime::StreamRecord& stream);

Json transcoded_qualities(const runtime::StreamRecord& stream);
Json transcoding_speed(const runtime::StreamRecord& stream);
// Something can be played: links lead somewhere.
bool can_be_played(const runtime::StreamRecord& stream);

}  // namespace recording::api
