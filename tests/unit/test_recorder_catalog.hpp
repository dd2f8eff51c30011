#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"

// A catalogue in memory that can be away, for the tests of the recorder.
namespace recording::test {

// What a catalogue keeps, and how it behaves.
struct CatalogData {
  std::map<std::string, catalog::StreamRow> streams;  // "app/name"
  std::map<std::string, catalog::VideoRow> videos;    // slug
  std::map<std::string, std::string> files_left;      // slug, path: of deleted videos
  std::vector<catalog::EventRow> events;
  std::vector<catalog::SessionStart> sessions_begun;
  std::vector<catalog::SessionRow> sessions_ended;
  std::int64_t next_stream = 1, next_video = 1;
  bool down = false;
  int calls = 0;
};

// The recorder knows of no jobs.
class CatalogWithoutJobs : public catalog::Catalog {
 public:
  Result<std::vector<catalog::RenditionRow>> renditions(const std::vector<std::string>&) override {
    return std::vector<catalog::RenditionRow>();
  }
  Status put_rendition(const catalog::RenditionRow&) override { return none(); }
  Result<bool> ask_rendition(std::int64_t, const catalog::RenditionRow&) override { return false; }
  Result<bool> has_due_job(std::int64_t) override { return false; }
  Result<std::optional<catalog::Lease>> lease_job(const std::string&, std::int64_t,
                                                  std::int64_t) override {
    return std::optional<catalog::Lease>();
  }
  Result<std::vector<catalog::RenditionRow>> begin_job(
      const std::string&, const std::vector<catalog::RenditionRow>&) override {
    return none();
  }
  Status extend_job(const std::string&, std::int64_t, std::int64_t) override { return none(); }
  Result<catalog::VideoRow> end_job(const std::string&, const catalog::JobEnd&) override {
    return none();
  }
  Status give_back_job(const std::string&) override { return none(); }
  Result<bool> is_leased(const std::string&, std::int64_t) override { return false; }
  Status end_leases_of(const std::string&) override { return ok(); }
  Result<catalog::WorkFigures> work_figures() override { return catalog::WorkFigures(); }

 private:
  static Error none() { return {Errc::kNotFound, "there are no jobs"}; }
};

class FakeCatalog final : public CatalogWithoutJobs {
 public:
  explicit FakeCatalog(CatalogData& data) : data_(data) {}

  Result<catalog::StreamRow> ensure_stream(const std::string& app,
                                           const std::string& name) override {
    RECORDING_TRY(answer());
    catalog::StreamRow& row = data_.streams[app + "/" + name];
    if (row.id == 0) {
      row.id = data_.next_stream++;
      row.app = app;
      row.name = name;
    }
    return row;
  }
  Status begin_session(const catalog::SessionStart& start) override {
    RECORDING_TRY(answer());
    data_.sessions_begun.push_back(start);
    for (auto& [key, row] : data_.streams) {
      row.started_at = row.id == start.stream_id ? start.started_at : row.started_at;
    }
    return ok();
  }
  Status end_session(const catalog::SessionRow& row) override {
    RECORDING_TRY(answer());
    data_.sessions_ended.push_back(row);
    for (auto& [key, stream] : data_.streams) {
      stream.finished_at = stream.id == row.stream_id ? row.ended_at : stream.finished_at;
    }
    return ok();
  }
  Result<std::vector<catalog::SessionRow>> sessions(std::int64_t, std::int64_t,
                                                    std::int64_t) override {
    return none();
  }
  Status put_video(const catalog::VideoRow& row) override {
    RECORDING_TRY(answer());
    catalog::VideoRow& known = data_.videos[row.slug];
    if (row.status != "pending" || known.slug.empty()) {  // an outcome stays
      known = row;
    }
    return ok();
  }
  Result<std::int64_t> version() override { return none(); }
  Result<catalog::IdRange> lease_video_ids(std::int64_t count) override {
    RECORDING_TRY(answer());
    catalog::IdRange range{data_.next_video, data_.next_video + count};
    data_.next_video = range.end;
    return range;
  }

  Result<catalog::StreamRow> add_stream(const catalog::StreamRow&) override { return none(); }
  Result<catalog::StreamRow> stream(std::int64_t id) override {
    RECORDING_TRY(answer());
    for (const auto& [key, row] : data_.streams) {
      if (row.id == id) {
        return row;
      }
    }
    return Error{Errc::kNotFound, "no such stream"};
  }
  Result<catalog::StreamRow> stream(const std::string& app, const std::string& name) override {
    RECORDING_TRY(answer());
    const auto found = data_.streams.find(app + "/" + name);
    return found != data_.streams.end() ? Result<catalog::StreamRow>(found->second) : none();
  }
  Result<std::vector<catalog::StreamRow>> streams(std::int64_t, std::int64_t) override {
    return none();
  }
  Result<catalog::StreamRow> change_stream(std::int64_t, const catalog::StreamPatch&) override {
    return none();
  }
  Status delete_stream(std::int64_t) override { return none(); }
  Result<catalog::VideoRow> video(std::int64_t) override { return none(); }
  Result<catalog::VideoRow> video_by_slug(const std::string& slug) override {
    RECORDING_TRY(answer());
    const auto found = data_.videos.find(slug);
    return found != data_.videos.end() ? Result<catalog::VideoRow>(found->second)
                                       : Error{Errc::kNotFound, "no such video"};
  }
  Result<std::vector<catalog::VideoRow>> videos(const catalog::VideoFilter& filter) override {
    RECORDING_TRY(answer());
    std::vector<catalog::VideoRow> rows;
    for (const auto& [slug, row] : data_.videos) {
      if ((filter.status.empty() || row.status == filter.status) && filter.offset == 0) {
        rows.push_back(row);
      }
    }
    return rows;
  }
  Result<catalog::VideoRow> change_video(std::int64_t, const catalog::VideoPatch&) override {
    return none();
  }
  Result<catalog::VideoRow> delete_video(std::int64_t id, const catalog::Tell& tell) override {
    RECORDING_TRY(answer());
    for (const auto& [slug, row] : data_.videos) {
      if (row.id == id) {
        const catalog::VideoRow deleted = row;
        data_.files_left[slug] = row.path;
        const catalog::Outbox told = tell(deleted);
        data_.events.insert(data_.events.end(), told.events.begin(), told.events.end());
        data_.videos.erase(slug);
        return deleted;
      }
    }
    return Error{Errc::kNotFound, "no such video"};
  }
  Result<bool> was_deleted(const std::string&) override { return none(); }
  Result<std::vector<catalog::VideoRow>> deleted_with_files(std::int64_t) override {
    RECORDING_TRY(answer());
    std::vector<catalog::VideoRow> rows;
    for (const auto& [slug, path] : data_.files_left) {
      rows.emplace_back().slug = slug;
      rows.back().path = path;
    }
    return rows;
  }
  Status files_removed(const std::string& slug, const std::string&) override {
    RECORDING_TRY(answer());
    data_.files_left.erase(slug);
    return ok();
  }
  Result<std::vector<std::int64_t>> videos_ended_before(std::int64_t wall_ms,
                                                        std::int64_t) override {
    RECORDING_TRY(answer());
    std::vector<std::int64_t> ids;
    for (const auto& [slug, row] : data_.videos) {
      if (row.status != "pending" && row.recording_ended_at < wall_ms) {
        ids.push_back(row.id);
      }
    }
    return ids;
  }
  Status add_events(const std::vector<catalog::EventRow>& events,
                    const std::vector<std::string>&) override {
    RECORDING_TRY(answer());
    data_.events.insert(data_.events.end(), events.begin(), events.end());
    return ok();
  }
  Result<std::optional<catalog::Delivery>> claim_delivery(const std::string&, std::int64_t,
                                                          std::int64_t) override {
    return none();
  }
  Status delivered(const std::string&, const catalog::Delivery&) override { return none(); }
  Status delivery_failed(const std::string&, const catalog::Delivery&, std::int64_t,
                         const std::string&) override {
    return none();
  }
  Result<std::vector<catalog::WebhookBacklog>> webhook_backlogs() override { return none(); }
  Result<std::int64_t> prune_events(std::int64_t) override { return none(); }

 private:
  Status answer() {
    ++data_.calls;
    return data_.down ? Status(Error{Errc::kUnavailable, "the catalogue is away"}) : ok();
  }
  static Error none() { return Error{Errc::kInternal, "not faked"}; }

  CatalogData& data_;
};

}  // namespace recording::test
