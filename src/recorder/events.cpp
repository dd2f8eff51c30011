#include "recorder/events.hpp"

#include <nlohmann/json.hpp>

#include "base/strings.hpp"

namespace recording::recorder {

void Events::emit(const char* type, const Facts& facts) {
  nlohmann::ordered_json data = nlohmann::ordered_json::object();
  for (const auto& [name, value] : facts) {
    std::visit([&, key = name](const auto& v) { data[key] = v; }, value);
  }
  nlohmann::ordered_json event = {{"type", type},
                                  {"id", random_id()},
                                  {"created_at", iso8601(clock_.wall_ms())},
                                  {"data", std::move(data)}};
  log_.write(
      LogLevel::kNotice,
      "event " + event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace recording::recorder
