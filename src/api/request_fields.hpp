#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json.hpp"
#include "base/result.hpp"
#include "catalog/catalog.hpp"

// Bodies and queries as typed values. Errors are kInvalidArgument, "code: sentence" with the
// field's name. Fields and parameters that this API does not know are ignored: clients made for the
// system whose shapes it shares send more than it has.
namespace recording::api {

struct PageRequest {
  std::int64_t page = 1, per_page = 25;
  [[nodiscard]] std::int64_t offset() const { return (page - 1) * per_page; }
};
Result<PageRequest> parse_page(std::string_view query);

struct VideoListRequest {
  PageRequest page;
  catalog::VideoFilter filter;      // all but offset and limit
  std::vector<std::string> fields;  // empty: all
};
Result<VideoListRequest> parse_video_list(std::string_view query);
// Of GET /videos/{id}.
Result<std::vector<std::string>> parse_fields(std::string_view query);

Result<catalog::StreamRow> parse_new_stream(std::string_view body, const std::string& default_app);

struct StreamChange {
  catalog::StreamPatch patch;
  // Given although they cannot be changed: must be what they are.
  std::optional<std::string> app, name;
};
Result<StreamChange> parse_stream_change(std::string_view body);
Result<catalog::VideoPatch> parse_video_change(std::string_view body);
// The name of the quality that is asked for.
Result<std::string> parse_new_rendition(std::string_view body);

}  // namespace recording::api
