#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/json.hpp"
#include "api/live_view.hpp"
#include "catalog/catalog.hpp"
#include "exporter/links.hpp"

namespace recording::api {

// A stream as the API shows it, from its row, its live record, or both.
struct StreamView {
  std::optional<catalog::StreamRow> row;
  std::optional<LiveStream> live;
  std::optional<bool> application_auto_record;
};

// Where links lead, as Request has them.
struct StreamLinks {
  const std::string& rtmp_url;
  const exporter::Links& links;
};
Json stream_json(const StreamView& view, const StreamLinks& links);

// A session as the API names it.
std::string session_name(std::uint64_t id);

// What start_recording answers beside `data`.
Json recording_json(const runtime::RecordingRecord& recording);

}  // namespace recording::api
