#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "catalog/catalog.hpp"
#include "media/parameter_list.hpp"
#include "mp4/sample.hpp"

namespace recording::recorder {

using EventValue =
    std::variant<std::string, std::int64_t, bool, std::vector<media::ParameterChange>>;
using EventFacts = std::vector<std::pair<const char*, EventValue>>;

// Whose event it is. Names as the encoder sent them; what is empty or 0 is not known.
struct EventStream {
  std::string_view app, name;
  std::int64_t id = 0;
};

inline EventStream stream_of(const mp4::Identity& recording) {
  return {recording.app, recording.stream, recording.stream_id};
}

// An event as it is told to the world: docs/operations.md, "Events". One that happens to a
// recording or video once only has the same id whoever makes it, so that it is told once although
// two processes, one after the other, came to tell it.
catalog::EventRow make_event(const char* type, const EventStream& stream, const EventFacts& facts,
                             std::int64_t wall_ms);

}  // namespace recording::recorder
