#include "recorder/events.hpp"

#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/strings.hpp"

namespace recording::recorder {

namespace {

using Json = nlohmann::ordered_json;

Json value_json(const media::ParameterValue& value) {
  return std::visit(
      [](const auto& known) {
        if constexpr (std::is_same_v<std::decay_t<decltype(known)>, std::monostate>) {
          return Json(nullptr);
        } else {
          return Json(known);
        }
      },
      value);
}

Json fact_json(const std::vector<media::ParameterChange>& changes) {
  Json list = Json::array();
  for (const media::ParameterChange& change : changes) {
    list.push_back({{"field", change.field},
                    {"from", value_json(change.from)},
                    {"to", value_json(change.to)}});
  }
  return list;
}
template <class T>
Json fact_json(const T& fact) {
  return Json(fact);
}

}  // namespace

void Events::emit(const char* type, const Facts& facts) {
  nlohmann::ordered_json data = nlohmann::ordered_json::object();
  for (const auto& [name, value] : facts) {
    std::visit([&, key = name](const auto& v) { data[key] = fact_json(v); }, value);
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
