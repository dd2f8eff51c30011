#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "catalog/catalog_service.hpp"
#include "exporter/links.hpp"
#include "recorder/removal.hpp"
#include "recorder/timeline.hpp"
#include "runtime/live_state.hpp"
#include "transcode/settings.hpp"

namespace recording::api {

struct LiveVideo;

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOther };

struct Request {
  Method method = Method::kGet;
  std::string
      path;  // what follows the location's prefix, percent-decoding NOT yet done: "streams/12"
  std::string query;         // raw, without '?'
  std::string content_type;  // as sent; empty: none
  std::string body;
  exporter::Links links;  // to what `recording_files` serves; those that are empty are shown null
  std::string rtmp_url;   // "rtmp://host[:port]/", for push_url; empty: null
  // The one application with recording on, for POST /streams without "app"; empty: none or several.
  std::string default_app;
};

struct Response {
  int status = 200;
  std::string body;  // JSON; empty with 204
  std::string content_type = "application/json";
  std::optional<std::string> allow;  // with 405
};

// What the API asks of the program around it. Event loop only.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual runtime::LiveState& state() = 0;
  virtual catalog::CatalogService& catalog() = 0;
  virtual const Clock& clock() = 0;
  [[nodiscard]] virtual std::int64_t min_free_bytes() const = 0;
  virtual void wake(std::int32_t pid) = 0;  // 0: the housekeeper
  // What nginx.conf says of auto_record in the application `app`, for streams without a setting of
  // their own that are not live; empty: there is no such application.
  [[nodiscard]] virtual std::optional<bool> application_auto_record(const std::string& app) const {
    (void)app;
    return std::nullopt;
  }
  // Qualities that can be asked for by name.
  [[nodiscard]] virtual std::vector<transcode::RenditionSetting> renditions() const { return {}; }
  // By which a row is deleted, because that was requested now.
  [[nodiscard]] virtual recorder::Deletion deletion() const = 0;
  // Tells the log of a video that was deleted, and removes its files (in a pool thread; also while
  // it is being recorded, after ending that), then calls `then`. The row is already gone.
  virtual void remove_files(const recorder::Deletion& deletion, const catalog::VideoRow& row,
                            std::function<void(Status)> then) = 0;
  // Reads what a video's file says of its course (in a pool thread), then calls `then`. `live`:
  // what is being recorded, nullptr when only the row is known. kNotFound: there is no file, or
  // nothing in it yet.
  virtual void read_timeline(const catalog::VideoRow& row, const LiveVideo* live,
                             std::function<void(Result<recorder::Timeline>)> then) = 0;
};

// The JSON API of docs/http-api.md. Event loop only; nothing blocks. `done` is called exactly once,
// at once or later; the request may be gone by then, so it must not refer to one that died.
class Api {
 public:
  // The backend must live as long as its catalogue may still answer.
  explicit Api(Backend& backend) : backend_(backend) {}
  void handle(Request request, std::function<void(Response)> done);

 private:
  Backend& backend_;
};

}  // namespace recording::api
