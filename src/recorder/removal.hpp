#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "recorder/environment.hpp"

// Videos go in two steps: the catalogue forgets the row and remembers that there are files, then
// these are removed. Whoever takes the row away is the one who tells of it; files that are left
// because he died, or the disk failed, are removed by the housekeeper. Downloads that have the file
// open go on to their end.
namespace recording::recorder {

// How a video's row is deleted, and how the world learns of it: webhooks in the same transaction,
// so that neither happens without the other, and the log when that is over.
class Deletion {
 public:
  // `reason`: "requested" or "keep".
  Deletion(const Environment& environment, const char* reason);
  Deletion(std::vector<std::string> webhooks, const char* reason, std::int64_t wall_ms)
      : webhooks_(std::move(webhooks)), reason_(reason), wall_ms_(wall_ms) {}

  // Pool threads.
  [[nodiscard]] Result<catalog::VideoRow> remove_row(catalog::Catalog& catalog,
                                                     std::int64_t id) const;
  void write_to(Log& log, const catalog::VideoRow& deleted) const;

 private:
  [[nodiscard]] catalog::EventRow event(const catalog::VideoRow& row) const;

  std::vector<std::string> webhooks_;
  std::string reason_;
  std::int64_t wall_ms_;
};

// Removes the files of a row that was deleted, in a pool thread, and tells the catalogue.
void remove_files(Environment& environment, const catalog::VideoRow& row,
                  std::function<void(Status)> then);

// What has been kept for long enough, and what is left of deleted videos. Event loop only; of the
// worker that is the housekeeper.
class Retention {
 public:
  explicit Retention(Environment& environment) : env_(environment) {}
  ~Retention() { *alive_ = false; }
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;
  void tick();

 private:
  struct Found {
    Deletion deletion;
    std::vector<catalog::VideoRow> deleted;  // just now
    std::vector<catalog::VideoRow> left;     // slug and path only
  };
  static Result<Found> look(catalog::Catalog& catalog, std::int64_t ended_before,
                            const Deletion& deletion);
  void remove(const Found& found);

  Environment& env_;
  bool looking_ = false;
  std::int64_t not_before_ms_ = 0;  // monotonic, after a failure
  std::size_t removing_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers that come later
};

}  // namespace recording::recorder
