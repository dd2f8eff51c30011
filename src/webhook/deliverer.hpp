#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "catalog/catalog.hpp"
#include "webhook/http_post.hpp"

namespace recording::webhook {

// How long to wait before the next try, after so many that failed in a row: 1 s, doubled up to
// 15 min.
std::int64_t retry_delay_ms(int failures);

// Tells one webhook what the outbox has for it, in order for each stream. An answer of 2xx is a
// delivery; any other has that stream wait, longer with each, and no answer at all everything. Each
// webhook has a deliverer, in a thread of its own, so that one that is down delays no other.
// Several processes may deliver from one catalogue: who claims an event has a minute for it, and
// after a crash it is sent again.
class Deliverer {
 public:
  // How long an event is tried.
  static constexpr std::int64_t kLongestMs = 24 * 3600 * 1000;

  // All of it outlives the object.
  Deliverer(std::string url, std::string secret, catalog::Catalog& catalog, HttpPost& http,
            const Clock& clock, Log& log)
      : url_(std::move(url)),
        shown_url_(url_without_secrets(url_)),
        secret_(std::move(secret)),
        catalog_(catalog),
        http_(http),
        clock_(clock),
        log_(log) {}

  // Tells the next event, if there is one that is due. How long to wait before the next call, ms;
  // 0: there may be more. Blocks.
  std::int64_t step();

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  void tell_failure(const std::string& why);

  const std::string url_, shown_url_, secret_;
  catalog::Catalog& catalog_;
  HttpPost& http_;
  const Clock& clock_;
  Log& log_;
  int unreachable_ = 0;   // times in a row that there was no answer
  bool failing_ = false;  // said so, and it did not succeed since
  bool catalog_said_ = false;
  std::uint64_t delivered_ = 0, failed_ = 0;
};

}  // namespace recording::webhook
