#include "recorder/outcome_row.hpp"

#include <utility>

namespace recording::recorder {
namespace {

// Whether the catalogue has a later part of the same broadcast: of a recording that was found in
// the spool, the live state may not know it.
Result<bool> has_later_row(catalog::Catalog& catalog, const catalog::VideoRow& row) {
  catalog::VideoFilter filter;
  filter.stream_id = row.stream_id;
  filter.limit = 100;
  for (;; filter.offset += filter.limit) {
    auto rows = catalog.videos(filter);  // the newest first
    if (!rows) {
      return std::move(rows).error();
    }
    for (const catalog::VideoRow& other : rows.value()) {
      if (other.transaction_id == row.transaction_id && other.sequence > row.sequence) {
        return true;
      }
    }
    if (rows.value().size() < static_cast<std::size_t>(filter.limit) ||
        rows.value().back().recording_started_at < row.recording_started_at) {
      return false;
    }
  }
}

}  // namespace

void describe_outcome(const Outcome& outcome, catalog::VideoRow& row) {
  row.status = outcome.error.empty() ? "viewable" : "error";
  row.error = outcome.error;
  row.path = outcome.path;
  row.duration_ms = outcome.duration_ms;
  row.origin_size = static_cast<std::int64_t>(outcome.size);
  row.width = outcome.width;
  row.height = outcome.height;
  row.recording_ended_at = outcome.ended_wall_ms;
  row.recording_times = outcome.times;
  row.uniform = outcome.uniform;
}

Status put_recording_row(catalog::Catalog& catalog, const mp4::Identity& identity,
                         catalog::VideoRow row) {
  if (row.stream_id == 0) {
    auto known = catalog.ensure_stream(identity.app, identity.stream);
    if (!known) {
      return std::move(known).error();
    }
    row.stream_id = known.value().id;
  }
  if (row.last_sequence) {
    auto later = has_later_row(catalog, row);
    if (!later) {
      return std::move(later).error();
    }
    row.last_sequence = !later.value();
  }
  return catalog.put_video(row);
}

}  // namespace recording::recorder
