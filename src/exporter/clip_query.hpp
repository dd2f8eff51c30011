#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "mp4/clip.hpp"

namespace recording::exporter {

// `epoch`, `from` and `to` of a query, raw and without '?'. Nothing: all is asked for; what else is
// in the query is for others. kInvalidArgument: it makes no sense; the message is for the client
// and repeats nothing of the query.
Result<std::optional<mp4::Clip>> parse_clip(std::string_view query);

}  // namespace recording::exporter
