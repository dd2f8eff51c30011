#pragma once

#include <cstdint>
#include <functional>
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

// A session that begins.
struct SessionStart {
  std::int64_t stream_id = 0;
  std::uint64_t id = 0;
  std::int64_t started_at = 0;  // with id: one connection may have several, a silence between
};

// A session in the history of its stream.
struct SessionRow {
  std::int64_t stream_id = 0;
  std::uint64_t id = 0;
  std::int64_t started_at = 0, ended_at = 0;
  std::string end_reason;  // a word of docs/http-api.md; empty: it has not ended
  // Its source; empty, 0: not known.
  std::string video_codec, audio_codec;
  std::int64_t width = 0, height = 0, frame_rate_milli = 0, sample_rate = 0, channels = 0;
  std::int64_t bytes = 0, transcoder_restarts = 0;
};

struct RecordingTime {
  std::int64_t started_at = 0;
  double duration_seconds = 0;
};

// What was made of a recording's pictures, in its folder: poster.jpg, screenshot-1.jpg and so on,
// sprite.jpg and sprite.vtt.
struct VideoPictures {
  bool poster = false;
  std::int64_t screenshots = 0;
  bool sprite = false;
};

// A saved recording. `slug` identifies it everywhere (files, events); `id` is for people and
// programs.
struct VideoRow {
  std::int64_t id = 0, stream_id = 0;
  std::string slug, name;
  std::string status = "pending";  // empty, pending, viewable, ready, error
  std::string error;  // a word: too_short, … ; of processing "word: sentence"; empty: none
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
  VideoPictures pictures;  // written by end_job() alone
};

struct VideoPatch {
  std::optional<std::string> name, client_entity_data;
  std::optional<std::optional<std::int64_t>> client_user_id;
};

struct VideoFilter {
  std::optional<std::int64_t> stream_id, client_user_id;
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

struct Outbox {
  std::vector<EventRow> events;
  std::vector<std::string> webhooks;  // URLs
};

// What is told of a video in the transaction that changes it: either both happen or nothing. Gets
// the row as it is then; may be empty.
using Tell = std::function<Outbox(const VideoRow&)>;

// An event that one webhook is to be told.
struct Delivery {
  std::int64_t event = 0;  // its place in the order of events
  std::string stream;
  std::int64_t created_at = 0;
  int attempts = 0;  // before this one
  std::string body;
};

// A delivery whose last try failed.
struct FailedDelivery {
  std::string event_id, body;
  std::int64_t created_at = 0;
  std::int64_t attempts = 0, next_at = 0;
  std::string error;  // a sentence
};

// What one webhook has not taken yet.
struct WebhookBacklog {
  std::string webhook;  // URL
  std::int64_t waiting = 0;
  std::int64_t oldest_at = 0;            // when the oldest of them happened
  std::vector<FailedDelivery> failures;  // the oldest 10
};

struct IdRange {
  std::int64_t first = 0, end = 0;  // [first, end)
};

// One more quality of a video, from when it is asked for.
struct RenditionRow {
  std::int64_t id = 0;
  std::string slug;                                               // of the video
  std::string name;                                               // "720p"
  std::int64_t video_bps = 0, audio_bps = 0;                      // asked for
  std::int64_t width = 0, height = 0, size = 0, duration_ms = 0;  // once it is complete
  std::int64_t progress = 0;                                      // per cent
  std::string status = "processing";                              // processing, complete, error
  std::string error;  // a sentence; also while it is tried again
};

// A job, which is to make what a video still lacks, given to one who does it until `until`.
struct Lease {
  std::string id;  // of this lease alone
  VideoRow video;
  std::int64_t failures = 0;  // tries that ended in an error of the recording
  std::int64_t faults = 0;    // tries in a row that ended in one of the machine
  std::int64_t deaths = 0;    // whoever had it died, or was silent for too long
};

// How a try at a job ended.
struct JobEnd {
  std::vector<RenditionRow> renditions;  // by id; status "complete", or an error
  std::optional<VideoPictures> pictures;
  std::string missing;        // what could not be made of the recording, "word: sentence"
  std::string error;          // why something has failed, for a person; empty: nothing
  std::int64_t retry_at = 0;  // wall ms, when it has; 0: it is given up
  bool of_machine = false;    // the error says nothing of the recording: no failure is counted
  std::int64_t took_ms = 0;
  Tell tell = {};
};

// What recording-workers have done and have to do.
struct WorkFigures {
  std::int64_t waiting = 0, running = 0, failed = 0;        // jobs, now
  std::int64_t done = 0, processing_ms = 0;                 // ever
  std::int64_t deliveries_waiting = 0;                      // now
  std::int64_t delivered = 0, not_taken = 0, given_up = 0;  // tries at deliveries, ever
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
  virtual Status delete_stream(std::int64_t id) = 0;  // and its history; its videos stay

  // The history of streams: of each the newest 100 sessions. Both set the stream's own times, too.
  // A session that has not ended when another one begins is over for a reason that is not known.
  virtual Status begin_session(const SessionStart& start) = 0;
  // Adds it when its beginning is missing. With id 0 it is the one that has no end yet.
  virtual Status end_session(const SessionRow& row) = 0;
  // Newest first: in the order in which they began.
  virtual Result<std::vector<SessionRow>> sessions(std::int64_t stream_id, std::int64_t offset,
                                                   std::int64_t limit) = 0;

  // Inserts or replaces the row of `slug`, except name and client fields that a user changed, id
  // and created_at. A video that becomes viewable gets a job. A row that delete_video() removed
  // does not come back, and an outcome (viewable, ready, error) is not made pending again; neither
  // is an error, nor is what is ready made viewable. An empty name stands for default_video_name();
  // id 0, or one that another slug has, for the next free id. The files of a row that was removed
  // meanwhile are remembered, should it name any: deleted_with_files().
  virtual Status put_video(const VideoRow& row) = 0;
  virtual Result<VideoRow> video(std::int64_t id) = 0;
  virtual Result<VideoRow> video_by_slug(const std::string& slug) = 0;
  // Newest first: by falling recording_started_at, then id.
  virtual Result<std::vector<VideoRow>> videos(const VideoFilter& filter) = 0;
  virtual Result<VideoRow> change_video(std::int64_t id, const VideoPatch& patch) = 0;
  // The row as it was, which `tell` gets too. That its files are to be removed is remembered until
  // files_removed().
  virtual Result<VideoRow> delete_video(std::int64_t id, const Tell& tell) = 0;
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
  // gets it before `until`, when it is due again. A time more than an hour away is of a clock that
  // was wrong, and over.
  virtual Result<std::optional<Delivery>> claim_delivery(const std::string& webhook,
                                                         std::int64_t now_ms,
                                                         std::int64_t until_ms) = 0;
  virtual Status delivered(const std::string& webhook, const Delivery& delivery) = 0;
  virtual Status delivery_failed(const std::string& webhook, const Delivery& delivery,
                                 std::int64_t next_ms, const std::string& error) = 0;
  // Of every webhook for which something waits, by URL.
  virtual Result<std::vector<WebhookBacklog>> webhook_backlogs() = 0;
  // Gives up what happened before then, and forgets it, delivered or not. How many deliveries were
  // given up.
  virtual Result<std::int64_t> prune_events(std::int64_t happened_before_ms) = 0;

  // Another number than before when anything was changed since, by whomever. Of this object only.
  virtual Result<std::int64_t> version() = 0;

  // Of all these videos, in the order in which they were asked for.
  virtual Result<std::vector<RenditionRow>> renditions(const std::vector<std::string>& slugs) = 0;
  // One that is there already, for a catalogue that is rebuilt; of its video's slug, which may
  // follow later. One that is known stays as it is.
  virtual Status put_rendition(const RenditionRow& row) = 0;
  // Asks for one more quality, or once more for one that failed: the video is viewable until it is
  // there. False: it is there already, or on its way. kConflict: the video has no source to make it
  // of.
  virtual Result<bool> ask_rendition(std::int64_t video_id, const RenditionRow& wanted) = 0;

  // Jobs: one a video, leased by who does it. Times are of the wall clock, for they outlive a boot;
  // a deadline further away than a lease or pause can be is of a clock that was wrong, and over.
  virtual Result<bool> has_due_job(std::int64_t now) = 0;
  // The longest overdue. `holder`: who will have it, as in end_leases_of(). Empty: there is none.
  virtual Result<std::optional<Lease>> lease_job(const std::string& holder, std::int64_t now,
                                                 std::int64_t until) = 0;
  // What the lease's video is to have by configuration is added to what it was asked to have; gives
  // back all that is still to be made. This, extend, end and give back: kNotFound when the lease is
  // over, because the video was deleted or somebody else has the job.
  virtual Result<std::vector<RenditionRow>> begin_job(const std::string& lease,
                                                      const std::vector<RenditionRow>& wanted) = 0;
  virtual Status extend_job(const std::string& lease, std::int64_t until,
                            std::int64_t progress) = 0;
  // What was made is in the video's folder before this says so. Gives back the video as it is then.
  virtual Result<VideoRow> end_job(const std::string& lease, const JobEnd& end) = 0;
  virtual Status give_back_job(const std::string& lease) = 0;
  virtual Result<bool> is_leased(const std::string& lease, std::int64_t now) = 0;
  // Their holder is known to be dead.
  virtual Status end_leases_of(const std::string& holder) = 0;
  virtual Result<WorkFigures> work_figures() = 0;

  // Ids that no other call of anybody ever gets.
  virtual Result<IdRange> lease_video_ids(std::int64_t count) = 0;
};

}  // namespace recording::catalog
