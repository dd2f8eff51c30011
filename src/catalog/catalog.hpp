#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace recording::catalog {

// Times: ms since 1970, UTC; 0 where a time is not known.
struct StreamRow {
  std::int64_t id = 0;
  std::string app, name;            // raw bytes as published
  std::optional<bool> auto_record;  // empty: as the application says
  std::string record_type = "origin";
  std::optional<std::int64_t> client_user_id;
  std::string client_entity_data;
  std::int64_t created_at = 0, started_at = 0, finished_at = 0;
};

// What to change; an empty field stays.
struct StreamPatch {
  std::optional<std::optional<bool>> auto_record;
  std::optional<std::string> record_type, client_entity_data;
  std::optional<std::optional<std::int64_t>> client_user_id;
};

struct RecordingTime {
  std::int64_t started_at = 0;
  double duration_seconds = 0;
};

// A saved recording. `slug` identifies it everywhere (files, events); `id` is for people and
// programs.
struct VideoRow {
  std::int64_t id = 0, stream_id = 0;
  std::string slug, name;
  std::string status = "pending";  // empty, pending, viewable, ready, error
  std::string error;               // a word: too_short, … ; empty: none
  std::int64_t duration_ms = 0, origin_size = 0;
  std::int64_t width = 0, height = 0;
  std::string record_type = "origin";
  std::string path;  // folder of its files, relative to storage; empty: still in the spool
  std::int64_t recording_started_at = 0, recording_ended_at = 0;
  std::string transaction_id;
  std::int64_t sequence = 0;
  bool last_sequence = true;
  bool uniform = true;
  std::vector<RecordingTime> recording_times;
  std::optional<std::int64_t> client_user_id;
  std::string client_entity_data;
  std::int64_t created_at = 0, updated_at = 0;
};

struct VideoPatch {
  std::optional<std::string> name, client_entity_data;
  std::optional<std::optional<std::int64_t>> client_user_id;
};

struct VideoFilter {
  std::optional<std::int64_t> stream_id;
  std::vector<std::int64_t> ids;     // empty: all
  std::string status;                // empty: all
  std::string search;                // part of the name, A-Z as a-z; empty: all
  std::vector<std::int64_t> except;  // ids to leave out
  std::int64_t offset = 0, limit = 25;
};

// Something that happened, as it is told to webhooks (docs/operations.md, "Events").
struct EventRow {
  std::string id;  // of one that happens once only always the same: it is kept once
  // Which stream's, whose events are told in order: its names, as text, or its id; neither: of
  // none.
  std::string app, stream;
  std::int64_t stream_id = 0;
  std::int64_t created_at = 0;
  std::string body;  // JSON
};

// An event that one webhook is to be told.
struct Delivery {
  std::int64_t event = 0;  // its place in the order of events
  std::string stream;
  std::int64_t created_at = 0;
  int attempts = 0;  // before this one
  std::string body;
};

struct IdRange {
  std::int64_t first = 0, end = 0;  // [first, end)
};

// The catalogue: streams with their settings, and videos. Every call may block: pool threads only;
// an object is used by one thread at a time, several objects may be open on the same catalogue.
// kNotFound, kConflict where said; kUnavailable when the catalogue cannot be reached or is busy.
class Catalog {
 public:
  virtual ~Catalog() = default;

  // False after an error that this connection will not get over: open another one.
  [[nodiscard]] virtual bool usable() const { return true; }

  // The row of the name, made when there is none.
  virtual Result<StreamRow> ensure_stream(const std::string& app, const std::string& name) = 0;
  virtual Result<StreamRow> add_stream(const StreamRow& row) = 0;  // kConflict: app and name exist
  virtual Result<StreamRow> stream(std::int64_t id) = 0;
  virtual Result<StreamRow> stream(const std::string& app, const std::string& name) = 0;
  // Newest first: by falling id.
  virtual Result<std::vector<StreamRow>> streams(std::int64_t offset, std::int64_t limit) = 0;
  virtual Result<StreamRow> change_stream(std::int64_t id, const StreamPatch& patch) = 0;
  virtual Status delete_stream(std::int64_t id) = 0;  // its videos stay
  virtual Status set_stream_times(std::int64_t id, std::int64_t started_at,
                                  std::int64_t finished_at) = 0;  // 0: leave

  // Inserts or replaces the row of `slug`, except name and client fields that a user changed, id
  // and created_at. A row that delete_video() removed does not come back, and an outcome (viewable,
  // ready, error) is not made pending again; neither is an error. An empty name stands for
  // default_video_name(); id 0, or one that another slug has, for the next free id. The files of a
  // row that was removed meanwhile are remembered, should it name any: deleted_with_files().
  virtual Status put_video(const VideoRow& row) = 0;
  virtual Result<VideoRow> video(std::int64_t id) = 0;
  virtual Result<VideoRow> video_by_slug(const std::string& slug) = 0;
  // Newest first: by falling recording_started_at, then id.
  virtual Result<std::vector<VideoRow>> videos(const VideoFilter& filter) = 0;
  virtual Result<VideoRow> change_video(std::int64_t id, const VideoPatch& patch) = 0;
  // The row as it was. That its files are to be removed is remembered until files_removed().
  virtual Result<VideoRow> delete_video(std::int64_t id) = 0;
  virtual Result<bool> was_deleted(const std::string& slug) = 0;
  // Slug and path alone are set.
  virtual Result<std::vector<VideoRow>> deleted_with_files(std::int64_t limit) = 0;
  virtual Status files_removed(const std::string& slug, const std::string& path) = 0;
  // Ids of those with an outcome, the earliest end first.
  virtual Result<std::vector<std::int64_t>> videos_ended_before(std::int64_t wall_ms,
                                                                std::int64_t limit) = 0;

  // The outbox: the events are to be delivered to each of the webhooks (URLs). All or none; those
  // that are there already stay as they are.
  virtual Status add_events(const std::vector<EventRow>& events,
                            const std::vector<std::string>& webhooks) = 0;
  // The oldest event due for the webhook whose stream has no older one waiting there; nobody else
  // gets it before `until`, when it is due again.
  virtual Result<std::optional<Delivery>> claim_delivery(const std::string& webhook,
                                                         std::int64_t now_ms,
                                                         std::int64_t until_ms) = 0;
  virtual Status delivered(const std::string& webhook, const Delivery& delivery) = 0;
  virtual Status delivery_failed(const std::string& webhook, const Delivery& delivery,
                                 std::int64_t next_ms) = 0;
  // Gives up what happened before then, and forgets it, delivered or not. How many deliveries were
  // given up.
  virtual Result<std::int64_t> prune_events(std::int64_t happened_before_ms) = 0;
  virtual Result<std::int64_t> waiting_deliveries() = 0;

  // Another number than before when anything was changed since, by whomever. Of this object only.
  virtual Result<std::int64_t> version() = 0;

  // Ids that no other call of anybody ever gets.
  virtual Result<IdRange> lease_video_ids(std::int64_t count) = 0;
};

}  // namespace recording::catalog
