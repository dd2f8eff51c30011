#include "webhook/deliverer.hpp"

#include <algorithm>
#include <vector>

#include "webhook/signature.hpp"

namespace recording::webhook {

namespace {

constexpr std::int64_t kShortestRetryMs = 1000;
constexpr std::int64_t kLongestRetryMs = 15 * 60 * 1000;
// A webhook that does not answer at all is looked at again at least so often: what waits behind
// the first event is not at fault.
constexpr std::int64_t kLongestPauseMs = 60 * 1000;
// How soon an event that has just happened is seen.
constexpr std::int64_t kIdleMs = 500;
// Longer than one try may take (CurlPost).
constexpr std::int64_t kLeaseMs = 60 * 1000;

}  // namespace

std::int64_t retry_delay_ms(int failures) {
  const int doublings = std::clamp(failures - 1, 0, 20);
  return std::min(kShortestRetryMs << doublings, kLongestRetryMs);
}

std::int64_t Deliverer::step() {
  const std::int64_t now = clock_.wall_ms();
  Result<std::optional<catalog::Delivery>> claimed =
      catalog_.claim_delivery(url_, now, now + kLeaseMs);
  if (!claimed) {
    if (!catalog_said_) {
      log_.write(LogLevel::kError, "webhook " + shown_url_ + ": " + claimed.error().message);
    }
    catalog_said_ = true;
    return kShortestRetryMs;
  }
  catalog_said_ = false;
  if (!claimed.value()) {
    return kIdleMs;
  }
  const catalog::Delivery& delivery = *claimed.value();
  std::vector<std::string> headers = {"Content-Type: application/json",
                                      "User-Agent: nginx-recording-module", "Expect:"};
  if (!secret_.empty()) {
    headers.push_back("X-Recording-Signature: " + signature(secret_, delivery.body));
  }
  Result<int> status = http_.post(url_, headers, delivery.body);
  unreachable_ = status ? 0 : unreachable_ + 1;
  if (status && status.value() / 100 == 2) {
    ++delivered_;
    if (failing_ && delivery.attempts > 0) {
      failing_ = false;
      log_.write(LogLevel::kNotice, "webhook " + shown_url_ + " takes events again");
    }
    // An error means that it is told once more.
    if (Status done = catalog_.delivered(url_, delivery); !done) {
      log_.write(LogLevel::kError, "webhook " + shown_url_ + ": " + done.error().message);
      return kShortestRetryMs;
    }
    return 0;
  }
  ++failed_;
  const std::string why =
      status ? "it answered " + std::to_string(status.value()) : status.error().message;
  tell_failure(why);
  (void)catalog_.delivery_failed(url_, delivery,
                                 clock_.wall_ms() + retry_delay_ms(delivery.attempts + 1), why);
  return unreachable_ > 0 ? std::min(retry_delay_ms(unreachable_), kLongestPauseMs) : 0;
}

void Deliverer::tell_failure(const std::string& why) {
  if (!failing_) {
    failing_ = true;
    log_.write(LogLevel::kError,
               "webhook " + shown_url_ + ": " + why + "; trying again for a day, said once");
  }
}

}  // namespace recording::webhook
