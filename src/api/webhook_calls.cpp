#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "api/calls.hpp"
#include "api/json.hpp"
#include "api/replies.hpp"
#include "base/strings.hpp"

namespace recording::api {
namespace {

Json failure_json(const catalog::FailedDelivery& failed) {
  const Json event = Json::parse(failed.body, nullptr, /*allow_exceptions=*/false);
  const Json data = event.is_object() ? event.value("data", Json::object()) : Json::object();
  const auto field = [](const Json& object, const char* name) {
    return object.is_object() && object.contains(name) ? object[name] : Json(nullptr);
  };
  return {{"event_id", failed.event_id},
          {"type", field(event, "type")},
          {"app", field(data, "app")},
          {"stream", field(data, "stream")},
          {"created_at", time_or_null(failed.created_at)},
          {"attempts", failed.attempts},
          {"error", failed.error},
          {"next_try_at", time_or_null(failed.next_at)}};
}

Response all_of(const std::vector<catalog::WebhookBacklog>& backlogs) {
  Json list = Json::array();
  for (const catalog::WebhookBacklog& backlog : backlogs) {
    Json failures = Json::array();
    std::transform(backlog.failures.begin(), backlog.failures.end(), std::back_inserter(failures),
                   failure_json);
    list.push_back({{"url", url_without_secrets(backlog.webhook)},
                    {"waiting", backlog.waiting},
                    {"oldest_at", time_or_null(backlog.oldest_at)},
                    {"failures", std::move(failures)}});
  }
  return reply(200, list);
}

}  // namespace

void list_webhooks(Call call) {
  Backend& backend = *call.backend;
  backend.catalog().read(
      [](catalog::Catalog& rows) { return rows.webhook_backlogs(); },
      [call = std::move(call)](Result<std::vector<catalog::WebhookBacklog>> backlogs) {
        call.done(backlogs ? all_of(backlogs.value()) : catalog_failure(backlogs.error()));
      });
}

}  // namespace recording::api
