#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/sqlite_database.hpp"

namespace recording::catalog {

// The tables `events` and `deliveries`, the outbox of webhooks; calls as in Catalog.
class SqliteEvents {
 public:
  explicit SqliteEvents(SqliteDatabase& database) : database_(database) {}

  Status add(const std::vector<EventRow>& events, const std::vector<std::string>& webhooks);
  // What is told of the video, inside a transaction of the caller's.
  Status tell(const Tell& tell, const VideoRow& video);
  Result<std::optional<Delivery>> claim(const std::string& webhook, std::int64_t now_ms,
                                        std::int64_t until_ms);
  Status delivered(const std::string& webhook, const Delivery& delivery);
  Status failed(const std::string& webhook, const Delivery& delivery, std::int64_t next_ms,
                const std::string& error);
  Result<std::vector<WebhookBacklog>> backlogs();
  Result<std::int64_t> prune(std::int64_t happened_before_ms);
  // Adds what is known of deliveries.
  Result<WorkFigures> figures(WorkFigures of_jobs);

 private:
  Status insert(const std::vector<EventRow>& events, const std::vector<std::string>& webhooks);
  Status count(const char* what, std::int64_t more);
  Result<std::string> stream_of(const EventRow& event);

  SqliteDatabase& database_;
};

}  // namespace recording::catalog
