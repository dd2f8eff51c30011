#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "media/parameter_list.hpp"

namespace recording::recorder {

// What happened, told to the world: one line of JSON each in the log. Event loop only.
class Events {
 public:
  using Value = std::variant<std::string, std::int64_t, bool, std::vector<media::ParameterChange>>;
  using Facts = std::vector<std::pair<const char*, Value>>;

  Events(Log& log, const Clock& clock) : log_(log), clock_(clock) {}

  // `type`: a type of docs/operations.md, "Events".
  void emit(const char* type, const Facts& facts);

 private:
  Log& log_;
  const Clock& clock_;
};

}  // namespace recording::recorder
