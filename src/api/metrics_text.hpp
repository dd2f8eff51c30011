#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "runtime/live_state.hpp"

namespace recording::api {

// Prometheus' text exposition format, version 0.0.4.
inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// What all workers of this machine have counted, and what is now; docs/operations.md, "Metrics".
// kUnavailable: the live state's lock was not to be had.
// `work`: empty while the catalogue is away; what it tells is then left out.
Result<std::string> metrics_text(runtime::LiveState& state,
                                 const std::optional<catalog::WorkFigures>& work);

}  // namespace recording::api
