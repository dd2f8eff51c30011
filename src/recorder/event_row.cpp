#include "recorder/event_row.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/strings.hpp"
#include "media/parameter_json.hpp"

namespace recording::recorder {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> kToldOnce = {"recording.started", "recording.completed",
                                                       "recording.discarded", "video.viewable",
                                                       "video.deleted"};

Json fact_json(const std::vector<media::ParameterChange>& changes) {
  Json list = Json::array();
  for (const media::ParameterChange& change : changes) {
    list.push_back({{"field", change.field},
                    {"from", media::parameter_json(change.from)},
                    {"to", media::parameter_json(change.to)}});
  }
  return list;
}
template <class T>
Json fact_json(const T& fact) {
  return Json(fact);
}

// As random_id(), but of what is told.
std::string id_of(const std::string& what) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(what.data(), what.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    return random_id();
  }
  return to_hex(ByteView(digest).first(16));
}

}  // namespace

catalog::EventRow make_event(const char* type, const EventStream& stream, const EventFacts& facts,
                             std::int64_t wall_ms) {
  catalog::EventRow event;
  event.app = to_valid_utf8(stream.app);
  event.stream = to_valid_utf8(stream.name);
  event.stream_id = stream.id;
  event.created_at = wall_ms;
  event.id = random_id();
  Json data = Json::object();
  if (!event.stream.empty()) {
    data["app"] = event.app;
    data["stream"] = event.stream;
  }
  if (stream.id != 0) {
    data["stream_id"] = stream.id;
  }
  const bool once = std::find(kToldOnce.begin(), kToldOnce.end(), type) != kToldOnce.end();
  for (const auto& [name, value] : facts) {
    std::visit([&, key = name](const auto& v) { data[key] = fact_json(v); }, value);
    if (once && std::string_view(name) == "recording_id") {
      event.id = id_of(std::string(type) + ":" + std::get<std::string>(value));
    }
  }
  const Json whole = {{"type", type},
                      {"id", event.id},
                      {"created_at", iso8601(wall_ms)},
                      {"data", std::move(data)}};
  event.body = whole.dump(-1, ' ', false, Json::error_handler_t::replace);
  return event;
}

}  // namespace recording::recorder
