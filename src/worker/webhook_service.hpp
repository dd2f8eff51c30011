#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "worker/service.hpp"

namespace recording::worker {

// Tells one webhook of events, as long as the program runs.
class WebhookService final : public Service {
 public:
  using Opener = std::function<Result<std::unique_ptr<catalog::Catalog>>()>;

  WebhookService(config::Webhook webhook, Opener open_catalog, Log& log)
      : webhook_(std::move(webhook)), open_catalog_(std::move(open_catalog)), log_(log) {}
  void run(const std::stop_token& stop) override;

 private:
  void deliver(catalog::Catalog& catalog, const std::stop_token& stop);

  const config::Webhook webhook_;
  const Opener open_catalog_;
  Log& log_;
};

}  // namespace recording::worker
