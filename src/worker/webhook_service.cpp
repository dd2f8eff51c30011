#include "worker/webhook_service.hpp"

#include "base/strings.hpp"
#include "base/system_clock.hpp"
#include "webhook/curl_post.hpp"
#include "webhook/deliverer.hpp"

namespace recording::worker {

namespace {

using std::chrono::milliseconds;
using webhook::Deliverer;

constexpr milliseconds kReopen{5000};

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
      log_.write(LogLevel::kError,
                 "webhook " + url_without_secrets(webhook_.url) + ": " + catalog.error().message);
    }
    said = true;
    wait_for(stop, kReopen);
  }
}

void WebhookService::deliver(catalog::Catalog& catalog, const std::stop_token& stop) {
  const SystemClock clock;
  const auto post = webhook::make_curl_post(stop);
  Deliverer deliverer(webhook_.url, webhook_.secret, catalog, *post, clock, log_);
  while (catalog.usable() && !stop.stop_requested()) {
    wait_for(stop, milliseconds(deliverer.step()));
  }
}

}  // namespace recording::worker
