#include "worker/webhook_service.hpp"

#include "base/system_clock.hpp"
#include "webhook/curl_post.hpp"
#include "webhook/deliverer.hpp"

namespace recording::worker {

namespace {

using std::chrono::milliseconds;
using webhook::Deliverer;

constexpr milliseconds kReopen{5000};
constexpr std::int64_t kPruneEveryMs = 10 * 60 * 1000;

}  // namespace

void WebhookService::run(const std::stop_token& stop) {
  bool said = false;
  while (!stop.stop_requested()) {
    auto catalog = open_catalog_();
    if (catalog) {
      said = false;
      deliver(*catalog.value(), stop);
      continue;
    }
    if (!said) {
      log_.write(LogLevel::kError, "webhook " + webhook_.url + ": " + catalog.error().message);
    }
    said = true;
    wait_for(stop, kReopen);
  }
}

void WebhookService::deliver(catalog::Catalog& catalog, const std::stop_token& stop) {
  const SystemClock clock;
  const auto post = webhook::make_curl_post(stop);
  Deliverer deliverer(webhook_.url, webhook_.secret, catalog, *post, clock, log_);
  for (std::int64_t prune_ms = 0; catalog.usable() && !stop.stop_requested();) {
    if (clock.monotonic_ms() >= prune_ms) {
      prune_ms = clock.monotonic_ms() + kPruneEveryMs;
      auto given_up = catalog.prune_events(clock.wall_ms() - Deliverer::kLongestMs);
      if (given_up && given_up.value() > 0) {
        log_.write(LogLevel::kError, "webhooks: gave up " + std::to_string(given_up.value()) +
                                         " deliveries of events that are more than a day old");
      }
    }
    wait_for(stop, milliseconds(deliverer.step()));
  }
}

}  // namespace recording::worker
